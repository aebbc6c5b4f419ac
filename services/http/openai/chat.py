"""`POST /v1/chat/completions` as OpenAI's clients send it: a question about recordings, and the turns before it.

Text parts are the question, audio parts the recordings (`content`). Options come as `choices`, a field of our own, or
in the text; the reply names the chosen one as the prompt asks for it (`prompt`). A parameter that is not supported is
refused by name where the client would miss its effect, and ignored with a warning where it would not (`parameters`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from services.errors import Unsupported
from services.http.answering import BOTH, QuestionRequest
from services.http.forms import Texts, accept_only, parse_json
from services.http.openai.content import ChatMessage, OpenValue, list_unknown_fields, read_turn
from services.http.openai.json_reply import (
    JSONForm,
    JSONObjectFormat,
    JSONReply,
    JSONSchemaFormat,
    TextFormat,
    follow_example,
    plan_object,
)
from services.http.openai.parameters import list_ignored, read_reply_options
from services.http.openai.prompt import ClientPrompt, read_prompt
from services.http.openai.reply_form import ReplyKind
from services.request_context import ReplyOptions
from services.types import Question, Value

EXAMPLE: JsonValue = {
    "model": "text",
    "messages": [{"role": "user", "content": "Which one is a wind instrument?\n(A) Flute\n(B) Drum kit"}],
}
MAX_TOP_LOGPROBS = 20  # as OpenAI has it
INSTRUCTIONS = (
    "System and developer messages are ignored, but for the form of the reply: each path has prompts of its own."
)
NO_LOGPROBS = "An open question has no logprobs: give 'choices', or options as lines '(A) …' of the text."
TWO_ANSWERS = "'both' gives two answers: ask each of the two models for its logprobs, or for JSON."
SUPPORTED = frozenset(
    {
        *(
            "choices",
            "explain",
            "logprobs",
            "messages",
            "modalities",
            "model",
            "n",
            "reply",
            "response_format",
            "stream",
        ),
        *("stream_options", "top_logprobs"),
    }
)

OnlyOne: TypeAlias = Annotated[int | None, accept_only((None, 1), "only 1 works"), WithJsonSchema({"enum": [None, 1]})]
OnlyText: TypeAlias = Annotated[
    tuple[str, ...] | None,
    accept_only((None, (), ("text",)), "replies are text; only ['text'] works"),
    WithJsonSchema({"type": "array", "items": {"enum": ["text"]}}),
]
Format: TypeAlias = Annotated[TextFormat | JSONObjectFormat | JSONSchemaFormat, Field(discriminator="type")]


def _read_no_bound(value: object) -> object:
    """Return None for -1, which programs around local models write where there is no bound."""
    return None if value == -1 else value


MostTokens: TypeAlias = Annotated[
    Annotated[int, Field(ge=1)] | None, BeforeValidator(_read_no_bound, json_schema_input_type=int | None)
]


class StreamOptions(Value):
    """What a stream contains beside the answer."""

    model_config = ConfigDict(strict=True, extra="allow")

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class ChatRequest(OpenValue):
    """The body of a chat completion; any field that is not listed here is ignored, with a warning."""

    model_config = ConfigDict(
        strict=True, extra="allow", allow_inf_nan=False, json_schema_extra={"examples": [EXAMPLE]}
    )

    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1)]
    model: str | None = None
    """A name that `/v1/models` lists; None: the first of them."""
    choices: Texts = ()
    """The options of the question; none: those that its text lists, or an open question."""
    reply: ReplyKind | None = None
    """Whether the reply is the letter of the chosen option or its text; None: what the prompt asks for."""
    explain: bool | None = None
    """Whether the answer, in `earwitness`, brings its reasons, claims that cite evidence."""
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    response_format: Format | None = None
    """JSON of a schema is for questions with options."""
    logprobs: bool | None = None
    """Log-probabilities of the option letters: an open question and `both` have none."""
    top_logprobs: Annotated[int, Field(ge=0, le=MAX_TOP_LOGPROBS)] | None = None
    """How many of the options beside the chosen one, the likeliest first."""
    n: OnlyOne = None
    modalities: OnlyText = None

    tool_choice: JsonValue = None
    """No tool is called: "none" and "auto" work."""
    tools: JsonValue = None
    """Ignored with a warning, as are all below where they ask for anything."""
    function_call: JsonValue = None
    functions: JsonValue = None
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: float | None = None
    stop: JsonValue = None
    seed: int | None = None
    max_tokens: MostTokens = None
    max_completion_tokens: MostTokens = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: JsonValue = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat request as a question."""

    asked: QuestionRequest
    prompt: ClientPrompt
    json: JSONReply | None
    """How the reply is written as JSON; None: in words."""
    warnings: tuple[str, ...]
    """What was read in another way than it may have been meant."""
    ignored: tuple[str, ...]
    """Parameters that change nothing."""
    reply_options: ReplyOptions | None
    """How an open reply is to be written; what of it a model cannot be told is among `ignored` too."""
    is_stream: bool
    with_usage: bool
    """Whether a stream ends with its usage."""
    num_logprobs: int | None = None
    """How many options to list with their log-probabilities; None: not even the chosen one's."""


def read_chat(body: bytes, resolve: Callable[[str | None], str | None]) -> Chat:
    """Read a chat request; `resolve` returns the model that a name stands for."""
    request = parse_json(ChatRequest, body)
    model = resolve(request.model)
    check_tools(request.tool_choice, "tool_choice")
    check_tools(request.function_call, "function_call")
    turn = read_turn(request.messages, "messages")
    prompt = read_prompt(turn, request.choices, request.reply, "messages")
    _check_stream(request)
    _check_logprobs(request, prompt.question, model)
    ignored = list_ignored(request, _list_supported(request), [*list_unknown_fields(request)])
    is_open = not prompt.question.choices
    wanted = _read_format(request, prompt, model)
    form = JSONForm(wanted) if wanted or model == BOTH else follow_example(prompt)
    warnings = [*prompt.warnings, *form.warnings]
    if turn.instructions:
        warnings.append(INSTRUCTIONS)
    warnings += turn.warnings
    return Chat(
        asked=QuestionRequest(add_reasons(prompt.question, request.explain), model, turn.sounds, place="messages"),
        prompt=prompt,
        json=form.reply,
        warnings=tuple(warnings),
        ignored=ignored,
        reply_options=read_reply_options(request, ignored) if is_open else None,
        is_stream=bool(request.stream),
        with_usage=request.stream_options is not None and bool(request.stream_options.include_usage),
        num_logprobs=(request.top_logprobs or 0) if request.logprobs else None,
    )


def add_reasons(question: Question, explain: bool | None) -> Question:
    """Return the question, whose answer is to bring its reasons where the request says so."""
    return question.model_copy(update={"wants_reasons": bool(explain)})


def check_tools(choice: JsonValue, param: str) -> None:
    """Refuse a request that wants a tool to be called."""
    if choice not in (None, "", "none", "auto"):
        raise Unsupported(f"{param}: no tool is called here; 'none' and 'auto' work.", param=param)


def _list_supported(request: ChatRequest) -> frozenset[str]:
    """Return the parameters that are not ignored; tools of which none is to be called are not missed."""
    return SUPPORTED | {"tools", "functions"} if "none" in (request.tool_choice, request.function_call) else SUPPORTED


def _read_format(request: ChatRequest, prompt: ClientPrompt, model: str | None) -> JSONReply | None:
    wanted = request.response_format
    if wanted is None or isinstance(wanted, TextFormat):
        return None
    if model == BOTH:
        raise Unsupported(TWO_ANSWERS, param="response_format")
    if isinstance(wanted, JSONObjectFormat):
        return plan_object(prompt, "response_format")
    return JSONReply(wanted.json_schema.content, prompt, "response_format")


def _check_stream(request: ChatRequest) -> None:
    if request.stream_options is not None and not request.stream:
        raise Unsupported("'stream_options' needs 'stream': true.", param="stream_options")


def _check_logprobs(request: ChatRequest, question: Question, model: str | None) -> None:
    if request.top_logprobs and not request.logprobs:
        raise Unsupported("'top_logprobs' needs 'logprobs': true.", param="top_logprobs")
    if request.logprobs and not question.choices:
        raise Unsupported(NO_LOGPROBS, param="logprobs")
    if request.logprobs and model == BOTH:
        raise Unsupported(TWO_ANSWERS, param="logprobs")
