"""Chat completions: an answer in OpenAI's format, whole or as server-sent events.

`content` is the chosen option in the form that was asked for, or the reply to an open question; all that the answer
rests on is in `earwitness`, a field of our own.
"""

import math
import time
from collections.abc import Callable, Iterator
from typing import Literal
from uuid import uuid4

from services.errors import Unsupported
from services.http.answering import Answered, Both
from services.types import Answer, Usage, Value

LEAST_LOGPROB = -9999.0  # what OpenAI writes for all that is too unlikely
DONE = "data: [DONE]\n\n"


class ReplyMessage(Value):
    """The message of the reply."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None


class TopLogprob(Value):
    """An option by its letter, and how likely it is."""

    token: str
    logprob: float
    bytes: tuple[int, ...]


class TokenLogprob(TopLogprob):
    """The chosen option, and beside it the likeliest of all."""

    top_logprobs: tuple[TopLogprob, ...]


class ChoiceLogprobs(Value):
    """Log-probabilities of the option letters, as if the reply were the letter alone."""

    content: tuple[TokenLogprob, ...]
    refusal: None = None


class ReplyChoice(Value):
    """The only choice of a completion."""

    index: Literal[0] = 0
    message: ReplyMessage
    finish_reason: Literal["stop"] = "stop"
    logprobs: ChoiceLogprobs | None = None


class TokenUsage(Value):
    """Tokens of all the prompts that the answer took; 0 where models do not say."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(Value):
    """A whole reply."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    """Unix time in seconds."""
    model: str
    choices: tuple[ReplyChoice]
    usage: TokenUsage
    earwitness: Answer | Both
    """The answer with probabilities, evidence, path, timings and what was missing."""
    warnings: tuple[str, ...] = ()
    """What of the request was ignored."""


class Delta(Value):
    """What a chunk adds to the message."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(Value):
    """The reply in a chunk."""

    index: Literal[0] = 0
    delta: Delta
    finish_reason: Literal["stop"] | None = None
    logprobs: ChoiceLogprobs | None = None


class ChatChunk(Value):
    """A part of a reply."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: TokenUsage | None = None
    earwitness: Answer | Both | None = None
    """In the chunk that ends the reply."""
    warnings: tuple[str, ...] | None = None


def build_completion(
    answered: Answered,
    model: str,
    names: tuple[str, str],
    warnings: tuple[str, ...],
    write: Callable[[Answer], str],
    *,
    num_logprobs: int | None = None,
) -> ChatCompletion:
    """Return a reply.

    Args:
        answered: the answer, or both of them.
        model: the name that answered.
        names: of the cascade and the LALM that `both` asks.
        warnings: what of the request was ignored.
        write: makes the content out of an answer.
        num_logprobs: how many options to list with their log-probabilities beside the chosen one's; None: not even
            that.
    """
    logprobs = None if num_logprobs is None else _make_logprobs(answered, num_logprobs)
    return ChatCompletion(
        id=f"chatcmpl-{uuid4().hex}",
        created=int(time.time()),
        model=model,
        choices=(ReplyChoice(message=ReplyMessage(content=format_content(answered, names, write)), logprobs=logprobs),),
        usage=sum_usage(answered),
        earwitness=answered,
        warnings=warnings,
    )


def stream_events(whole: ChatCompletion, *, with_usage: bool) -> Iterator[str]:
    """Yield a reply as server-sent events, up to `[DONE]`."""
    content = whole.choices[0].message.content
    yield _format_event(whole, ChunkChoice(delta=Delta(role="assistant", content="")))
    if content:
        yield _format_event(whole, ChunkChoice(delta=Delta(content=content), logprobs=whole.choices[0].logprobs))
    yield _format_event(whole, ChunkChoice(delta=Delta(), finish_reason="stop"))
    if with_usage:
        yield _format_event(whole)
    yield DONE


def _format_event(whole: ChatCompletion, *choices: ChunkChoice) -> str:
    is_last = bool(choices) and choices[0].finish_reason is not None
    chunk = ChatChunk(
        id=whole.id,
        created=whole.created,
        model=whole.model,
        choices=choices,
        usage=None if choices else whole.usage,
        earwitness=whole.earwitness if is_last else None,
        warnings=whole.warnings if is_last else None,
    )
    return f"data: {chunk.model_dump_json(exclude_none=True)}\n\n"


def _make_logprobs(answered: Answered, num_top: int) -> ChoiceLogprobs:
    assert isinstance(answered, Answer), "two answers have no logprobs: such requests are refused"
    if not answered.choice or not answered.probabilities:
        raise Unsupported(
            f"The path {answered.path!r} gave no probabilities for this question: leave out 'logprobs'.",
            param="logprobs",
        )
    ranked = sorted(answered.probabilities, key=answered.probabilities.__getitem__, reverse=True)
    top = tuple(_make_logprob(letter, answered.probabilities[letter]) for letter in ranked[:num_top])
    letter = answered.choice.letter
    chosen = _make_logprob(letter, answered.probabilities[letter])
    return ChoiceLogprobs(content=(TokenLogprob(**chosen.model_dump(), top_logprobs=top),))


def _make_logprob(letter: str, probability: float) -> TopLogprob:
    logprob = math.log(probability) if probability > 0 else LEAST_LOGPROB
    return TopLogprob(token=letter, logprob=logprob, bytes=tuple(letter.encode()))


def format_content(answered: Answered, names: tuple[str, str], write: Callable[[Answer], str]) -> str:
    """Return the content of a reply; where two models differ, a line for each, with its name."""
    if isinstance(answered, Answer):
        return write(answered)
    said = {name: write(one) for name, one in zip(names, (answered.cascade, answered.lalm), strict=True) if one}
    if answered.agree:
        return said[names[0]]
    return "\n".join(f"{name}: {text}" for name, text in said.items())


def sum_usage(answered: Answered) -> TokenUsage:
    """Return the tokens of all prompts that the answer took."""
    answers = (answered,) if isinstance(answered, Answer) else answered.answers
    usage = sum((one.usage for one in answers), Usage())
    read, written = usage.prompt_tokens, usage.completion_tokens
    return TokenUsage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)
