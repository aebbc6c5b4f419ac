"""`POST /v1/responses` as OpenAI's clients send it: a question about recordings, as chat completions take it."""

from collections.abc import Callable
from typing import Annotated, Literal, TypeAlias

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from services.errors import Unsupported
from services.http.answering import BOTH, QuestionRequest
from services.http.forms import Texts, accept_only, parse_json
from services.http.openai.chat import (
    INSTRUCTIONS,
    MAX_TOP_LOGPROBS,
    NO_LOGPROBS,
    TWO_ANSWERS,
    Chat,
    MostTokens,
    add_reasons,
    check_tools,
)
from services.http.openai.content import ChatMessage, OpenValue, list_unknown_fields, read_turn
from services.http.openai.json_reply import (
    JSONForm,
    JSONObjectFormat,
    JSONReply,
    TextFormat,
    follow_example,
    plan_object,
)
from services.http.openai.parameters import list_ignored, read_reply_options
from services.http.openai.prompt import read_prompt
from services.http.openai.reply_form import ReplyKind

EXAMPLE: JsonValue = {"model": "text", "input": "Which one is a wind instrument?\n(A) Flute\n(B) Drum kit"}
LOGPROBS = "message.output_text.logprobs"  # of `include`
NOT_KEPT = ("previous_response_id", "conversation", "prompt")
SUPPORTED = frozenset(
    {
        *(
            "background",
            "choices",
            "explain",
            "include",
            "input",
            "instructions",
            "model",
            "reply",
            "stream",
            "stream_options",
        ),
        *("text", "top_logprobs", *NOT_KEPT),
    }
)


def _wrap_items(items: object) -> object:
    """Return a list of messages: a text is one of the user's, and what has no role ends a turn, as a tool's output."""
    if isinstance(items, str):
        return ({"role": "user", "content": items},)
    if not isinstance(items, list):
        return items
    return tuple(_wrap_item(one) if isinstance(one, dict) else one for one in items)


def _wrap_item(item: dict[str, object]) -> dict[str, object]:
    if "role" not in item:
        return {**item, "role": "tool"}
    of_item = ("id", "phase", "status", "type") if item.get("type") == "message" else ()
    return {name: value for name, value in item.items() if name not in of_item}


Items: TypeAlias = Annotated[
    tuple[ChatMessage, ...],
    BeforeValidator(_wrap_items, json_schema_input_type=str | tuple[ChatMessage, ...]),
    Field(min_length=1),
]


KEEPS_NOTHING = "nothing is kept between requests"
NotKept: TypeAlias = Annotated[
    JsonValue,
    accept_only((None,), f"{KEEPS_NOTHING}; send the earlier turns in 'input'"),
    WithJsonSchema({"type": "null"}),
]
InForeground: TypeAlias = Annotated[
    bool | None, accept_only((None, False), KEEPS_NOTHING), WithJsonSchema({"enum": [None, False]})
]


class ResponseSchemaFormat(OpenValue):
    """A reply in JSON, as the Responses API asks for it."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    type: Literal["json_schema"]
    name: str = ""
    content: dict[str, JsonValue] = Field(alias="schema")


class TextOptions(OpenValue):
    """The format of the reply."""

    format: Annotated[TextFormat | JSONObjectFormat | ResponseSchemaFormat, Field(discriminator="type")] | None = None


class ResponseRequest(OpenValue):
    """The body of a response; any field that is not listed here is ignored, with a warning."""

    model_config = ConfigDict(
        strict=True, extra="allow", allow_inf_nan=False, json_schema_extra={"examples": [EXAMPLE]}
    )

    input: Items
    model: str | None = None
    """A name that `/v1/models` lists; None: the first of them."""
    instructions: str | None = None
    """Counts for the form of the reply only."""
    choices: Texts = ()
    """The options of the question; none: those that its text lists, or an open question."""
    reply: ReplyKind | None = None
    """Whether the reply is the letter of the chosen option or its text; None: what the prompt asks for."""
    explain: bool | None = None
    """Whether the answer, in `earwitness`, brings its reasons, claims that cite evidence."""
    text: TextOptions | None = None
    stream: bool | None = None
    include: tuple[str, ...] | None = None
    """`message.output_text.logprobs` adds those of the option letters."""
    top_logprobs: Annotated[int, Field(ge=0, le=MAX_TOP_LOGPROBS)] | None = None
    background: InForeground = None
    previous_response_id: NotKept = None
    """Nothing is kept between requests: send the recording and the question."""
    conversation: NotKept = None
    prompt: NotKept = None

    tool_choice: JsonValue = None
    """No tool is called: "none" and "auto" work."""
    tools: JsonValue = None
    """Ignored with a warning, as are all below where they ask for anything."""
    temperature: Annotated[float, Field(ge=0)] | None = None
    top_p: float | None = None
    max_output_tokens: MostTokens = None
    reasoning: JsonValue = None


def read_response_request(body: bytes, resolve: Callable[[str | None], str | None]) -> Chat:
    """Read a request for a response; `resolve` returns the model that a name stands for."""
    request = parse_json(ResponseRequest, body)
    check_tools(request.tool_choice, "tool_choice")
    model = resolve(request.model)
    turn = read_turn(request.input, "input")
    if request.instructions:
        turn = turn._replace(instructions=f"{request.instructions}\n{turn.instructions}")
    prompt = read_prompt(turn, request.choices, request.reply, "input")
    supported = SUPPORTED | {"tools"} if request.tool_choice == "none" else SUPPORTED
    ignored = list_ignored(request, supported, [*list_unknown_fields(request)])
    is_open = not prompt.question.choices
    wanted = request.text.format if request.text else None
    warnings = [*prompt.warnings]
    warnings += [INSTRUCTIONS] if turn.instructions else []
    warnings += turn.warnings
    has_logprobs = LOGPROBS in (request.include or ())
    if has_logprobs and is_open:
        raise Unsupported(NO_LOGPROBS, param="include")
    if model == BOTH and (has_logprobs or isinstance(wanted, JSONObjectFormat | ResponseSchemaFormat)):
        raise Unsupported(TWO_ANSWERS, param="include" if has_logprobs else "text.format")
    if isinstance(wanted, ResponseSchemaFormat):
        form = JSONForm(JSONReply(wanted.content, prompt, "text.format"))
    elif isinstance(wanted, JSONObjectFormat) and (filled := plan_object(prompt, "text.format")):
        form = JSONForm(filled)
    else:
        form = JSONForm() if model == BOTH else follow_example(prompt)
    return Chat(
        asked=QuestionRequest(add_reasons(prompt.question, request.explain), model, turn.sounds, place="input"),
        prompt=prompt,
        json=form.reply,
        warnings=(*warnings, *form.warnings),
        ignored=ignored,
        reply_options=read_reply_options(request, ignored) if is_open else None,
        is_stream=bool(request.stream),
        with_usage=True,
        num_logprobs=(request.top_logprobs or 0) if has_logprobs else None,
    )
