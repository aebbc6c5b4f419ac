"""Responses: an answer in the format of OpenAI's Responses API, whole or as server-sent events."""

import time
from collections.abc import Iterator
from typing import Literal
from uuid import uuid4

from services.http.answering import Answered, Both
from services.http.openai.chat_reply import ChatCompletion, TokenLogprob
from services.types import Answer, Value


class OutputText(Value):
    """The text of the reply."""

    type: Literal["output_text"] = "output_text"
    text: str
    annotations: tuple[()] = ()
    logprobs: tuple[TokenLogprob, ...] = ()


class OutputMessage(Value):
    """The message of the reply."""

    type: Literal["message"] = "message"
    id: str
    status: Literal["in_progress", "completed"] = "completed"
    role: Literal["assistant"] = "assistant"
    content: tuple[OutputText, ...]


class CachedTokens(Value):
    """Tokens that were read from a cache; never any."""

    cached_tokens: int = 0


class ReasoningTokens(Value):
    """Tokens that were thought; never any."""

    reasoning_tokens: int = 0


class ResponseUsage(Value):
    """Tokens of all the prompts that the answer took; 0 where models do not say."""

    input_tokens: int
    input_tokens_details: CachedTokens = CachedTokens()
    output_tokens: int
    output_tokens_details: ReasoningTokens = ReasoningTokens()
    total_tokens: int


class TextSettings(Value):
    """The format of the reply, as it was asked for."""

    format: dict[str, str] = {"type": "text"}  # noqa: RUF012 - frozen


class ResponseReply(Value):
    """A whole response."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    """Unix time in seconds."""
    status: Literal["in_progress", "completed"] = "completed"
    background: Literal[False] = False
    error: None = None
    incomplete_details: None = None
    instructions: None = None
    max_output_tokens: None = None
    model: str
    output: tuple[OutputMessage, ...]
    parallel_tool_calls: bool = True
    previous_response_id: None = None
    store: Literal[False] = False
    temperature: float | None = None
    text: TextSettings = TextSettings()
    tool_choice: Literal["auto"] = "auto"
    tools: tuple[()] = ()
    top_p: float | None = None
    truncation: Literal["disabled"] = "disabled"
    usage: ResponseUsage | None = None
    metadata: dict[str, str] = {}  # noqa: RUF012 - frozen
    earwitness: Answer | Both | None = None
    """The answer with probabilities, evidence, path, timings and what was missing."""
    warnings: tuple[str, ...] = ()
    """What of the request was ignored."""


def build_response(completion: ChatCompletion, answered: Answered) -> ResponseReply:
    """Return the reply of a chat completion in the form of a response."""
    choice = completion.choices[0]
    logprobs = choice.logprobs.content if choice.logprobs else ()
    said = OutputText(text=choice.message.content, logprobs=logprobs)
    used = completion.usage
    return ResponseReply(
        id=f"resp_{uuid4().hex}",
        created_at=int(time.time()),
        model=completion.model,
        output=(OutputMessage(id=f"msg_{uuid4().hex}", content=(said,)),),
        usage=ResponseUsage(
            input_tokens=used.prompt_tokens, output_tokens=used.completion_tokens, total_tokens=used.total_tokens
        ),
        earwitness=answered,
        warnings=completion.warnings,
    )


class _StreamEvent(Value):
    """An event of a stream; fields that are None are left out."""

    type: str
    sequence_number: int = 0
    response: ResponseReply | None = None
    output_index: int | None = None
    item: OutputMessage | None = None
    item_id: str | None = None
    content_index: int | None = None
    part: OutputText | None = None
    delta: str | None = None
    text: str | None = None
    logprobs: tuple[TokenLogprob, ...] | None = None


def stream_response(whole: ResponseReply) -> Iterator[str]:
    """Yield a response as server-sent events, in the order in which OpenAI sends them."""
    for number, event in enumerate(_list_events(whole)):
        numbered = event.model_copy(update={"sequence_number": number})
        yield f"event: {event.type}\ndata: {numbered.model_dump_json(exclude_none=True)}\n\n"


def _list_events(whole: ResponseReply) -> Iterator[_StreamEvent]:
    begun = whole.model_copy(update={"status": "in_progress", "output": (), "usage": None, "earwitness": None})
    yield _StreamEvent(type="response.created", response=begun)
    yield _StreamEvent(type="response.in_progress", response=begun)
    (message,) = whole.output
    (said,) = message.content
    empty = message.model_copy(update={"status": "in_progress", "content": ()})
    yield _StreamEvent(type="response.output_item.added", output_index=0, item=empty)
    place = {"item_id": message.id, "output_index": 0, "content_index": 0}
    events = (
        {"type": "response.content_part.added", "part": said.model_copy(update={"text": "", "logprobs": ()})},
        {"type": "response.output_text.delta", "delta": said.text, "logprobs": said.logprobs},
        {"type": "response.output_text.done", "text": said.text, "logprobs": said.logprobs},
        {"type": "response.content_part.done", "part": said},
    )
    for event in events:
        yield _StreamEvent.model_validate({**place, **event})
    yield _StreamEvent(type="response.output_item.done", output_index=0, item=message)
    yield _StreamEvent(type="response.completed", response=whole)
