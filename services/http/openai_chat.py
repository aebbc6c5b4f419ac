"""`POST /v1/chat/completions` as OpenAI's clients send it: one question about one recording.

Text parts are the question, `input_audio` or `audio_url` parts the recording. Options come as `choices`, a field of
our own, or as lines of the text. A parameter that is not supported is refused by name where it would change the
answer, and ignored where it would not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from services.errors import BadRequest, Unsupported
from services.http.answering import BOTH, QuestionRequest
from services.http.clips import AudioUpload, Base64
from services.http.forms import LEAVE_OUT, accept_only, parse_json, unknown_parameter
from services.http.option_lines import split_options
from services.questions import check_question
from services.types import Question, Value

EXAMPLE: JsonValue = {
    "model": "text",
    "messages": [{"role": "user", "content": "Which one is a wind instrument?\n(A) Flute\n(B) Drum kit"}],
}
MAX_TOP_LOGPROBS = 20  # as OpenAI has it
ROLES = ("system", "developer", "user")
EMPTY: tuple[object, ...] = (None, False, 0, [], {})


DEFAULTS_ONLY = "models answer with what is likeliest; only 0 and 1, the default, work"
ONE_TURN = "one question a request, without earlier turns: the roles are system, developer and user"

Refused: TypeAlias = Annotated[object, accept_only(EMPTY, LEAVE_OUT), WithJsonSchema({"enum": list(EMPTY)})]
NoTool: TypeAlias = Annotated[
    object, accept_only((*EMPTY, "none"), LEAVE_OUT), WithJsonSchema({"enum": [*EMPTY, "none"]})
]
OwnDefault: TypeAlias = Annotated[
    float | None, accept_only((None, 0, 1), DEFAULTS_ONLY), WithJsonSchema({"enum": [None, 0, 1]})
]
OnlyOne: TypeAlias = Annotated[
    float | None, accept_only((None, 1), "only 1 works"), WithJsonSchema({"enum": [None, 1]})
]
Role: TypeAlias = Annotated[str, accept_only(ROLES, ONE_TURN), WithJsonSchema({"enum": list(ROLES)})]


class TextPart(Value):
    """A text."""

    type: Literal["text"]
    text: str


class InputAudio(Value):
    """A recording in base64."""

    data: Base64
    format: str = ""
    """Ignored: the first bytes tell the format."""


class AudioPart(Value):
    """A recording."""

    type: Literal["input_audio"]
    input_audio: InputAudio


class AudioUrl(Value):
    """The URL of a recording."""

    url: str


class AudioUrlPart(Value):
    """A recording behind a URL."""

    type: Literal["audio_url"]
    audio_url: AudioUrl


Part: TypeAlias = Annotated[TextPart | AudioPart | AudioUrlPart, Field(discriminator="type")]


def _wrap_text(content: object) -> object:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


Parts: TypeAlias = Annotated[
    tuple[Part, ...], BeforeValidator(_wrap_text, json_schema_input_type=str | tuple[Part, ...])
]


class ChatMessage(Value):
    """One message."""

    role: Role
    content: Parts
    name: str | None = None


class StreamOptions(Value):
    """What a stream contains beside the answer."""

    model_config = ConfigDict(strict=True)

    include_usage: bool = False
    include_obfuscation: bool | None = None


class TextFormat(Value):
    """The only format of a reply."""

    type: Literal["text"]


NEUTRAL: Mapping[str, tuple[object, ...]] = {
    "add_generation_prompt": (True, None),
    "bad_words": ([], None),
    "best_of": (1, None),
    "chat_template_kwargs": ({}, None),
    "continue_final_message": (False, None),
    "echo": (False, None),
    "ignore_eos": (False, None),
    "length_penalty": (1, None),
    "min_p": (0, None),
    "min_tokens": (0, None),
    "mm_processor_kwargs": ({}, None),
    "repetition_penalty": (1, None),
    "stop_token_ids": ([], None),
    "top_k": (-1, 0, None),
    "truncate_prompt_tokens": (None,),
    "use_beam_search": (False, None),
}
"""Parameter of vLLM's -> the values that change nothing; any other value is refused."""
WITHOUT_EFFECT = frozenset(
    {
        "add_special_tokens",
        "cache_salt",
        "include_stop_str_in_output",
        "priority",
        "request_id",
        "return_tokens_as_token_ids",
        "skip_special_tokens",
        "spaces_between_special_tokens",
    }
)
"""Parameters of vLLM's that change no answer here, whatever their value."""


class ChatRequest(Value):
    """The body of a chat completion; any other field is refused, unless its value changes nothing."""

    model_config = ConfigDict(strict=True, extra="allow", json_schema_extra={"examples": [EXAMPLE]})

    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1)]
    model: str | None = None
    """A name that `/v1/models` lists; None: the first of them."""
    choices: tuple[str, ...] = ()
    """The options of the question; none: those that its text lists, or an open question."""
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    temperature: OwnDefault = None
    top_p: OnlyOne = None
    n: OnlyOne = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    """Ignored, with a warning: replies are as long as the opened model lets them be."""
    max_completion_tokens: Annotated[int, Field(ge=1)] | None = None
    modalities: tuple[Literal["text"], ...] | None = None
    response_format: TextFormat | None = None

    audio: Refused = None
    frequency_penalty: Refused = None
    function_call: Refused = None
    functions: Refused = None
    logit_bias: Refused = None
    logprobs: bool | None = None
    """Log-probabilities of the option letters: an open question and `both` have none."""
    presence_penalty: Refused = None
    reasoning_effort: Refused = None
    stop: Refused = None
    tool_choice: NoTool = None
    tools: Refused = None
    top_logprobs: Annotated[int, Field(ge=0, le=MAX_TOP_LOGPROBS)] | None = None
    """How many of the options beside the chosen one, the likeliest first."""
    verbosity: Refused = None
    web_search_options: Refused = None

    metadata: object = None
    """Ignored, as are all below."""
    parallel_tool_calls: object = None
    prediction: object = None
    prompt_cache_key: object = None
    safety_identifier: object = None
    seed: object = None
    service_tier: object = None
    store: object = None
    user: object = None


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat request as a question."""

    asked: QuestionRequest
    warnings: tuple[str, ...]
    """Parameters of the request that were ignored."""
    is_stream: bool
    with_usage: bool
    """Whether a stream ends with its usage."""
    num_logprobs: int | None = None
    """How many options to list with their log-probabilities; None: not even the chosen one's."""


def read_chat(body: bytes) -> Chat:
    """Read a chat request."""
    request = parse_json(ChatRequest, body)
    _check_extra_parameters(request)
    parts = [part for message in request.messages if message.role == "user" for part in message.content]
    if not parts:
        raise BadRequest("No message of role 'user' holds a question.", param="messages")
    text = "\n".join(part.text for part in parts if isinstance(part, TextPart))
    if not text.strip():
        raise BadRequest("The messages hold no text; ask a question.", param="messages")
    split = split_options(text)
    question = check_question(text, request.choices) if request.choices else check_question(*split)
    wants_usage = request.stream_options is not None and request.stream_options.include_usage
    if request.stream_options is not None and not request.stream:
        raise Unsupported("'stream_options' needs 'stream': true.", param="stream_options")
    _check_logprobs(request, question)
    return Chat(
        asked=QuestionRequest(question, request.model, _find_sound(request), place="messages"),
        warnings=tuple(_make_warnings(request)),
        is_stream=bool(request.stream),
        with_usage=wants_usage,
        num_logprobs=(request.top_logprobs or 0) if request.logprobs else None,
    )


def _check_extra_parameters(request: ChatRequest) -> None:
    """Refuse a parameter that is not OpenAI's, unless its value changes nothing."""
    for name, value in (request.model_extra or {}).items():
        if name not in WITHOUT_EFFECT and value not in NEUTRAL.get(name, ()):
            raise unknown_parameter(name)


def _check_logprobs(request: ChatRequest, question: Question) -> None:
    if request.top_logprobs and not request.logprobs:
        raise Unsupported("'top_logprobs' needs 'logprobs': true.", param="top_logprobs")
    if request.logprobs and not question.choices:
        raise Unsupported(
            "An open question has no logprobs: give 'choices', or options as lines '(A) …' of the text.",
            param="logprobs",
        )
    if request.logprobs and request.model == BOTH:
        raise Unsupported("'both' gives two answers: ask each of the two models for its logprobs.", param="logprobs")


def _find_sound(request: ChatRequest) -> AudioUpload | None:
    sounds = []
    for number, message in enumerate(request.messages):
        for place, part in enumerate(message.content):
            param = f"messages[{number}].content[{place}]"
            if isinstance(part, AudioPart):
                sounds.append(AudioUpload(part.input_audio.data, param=f"{param}.input_audio"))
            elif isinstance(part, AudioUrlPart):
                sounds.append(AudioUpload(url=part.audio_url.url, param=f"{param}.audio_url"))
    if len(sounds) > 1:
        raise Unsupported(f"{len(sounds)} recordings came; one question is about one recording.", param=sounds[1].param)
    return sounds[0] if sounds else None


def _make_warnings(request: ChatRequest) -> list[str]:
    warnings = []
    if any(message.role != "user" for message in request.messages):
        warnings.append("System and developer messages are ignored: each path has prompts of its own.")
    if request.max_tokens or request.max_completion_tokens:
        warnings.append("The most tokens of a reply are those of the opened model; max_tokens is ignored.")
    return warnings
