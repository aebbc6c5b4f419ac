"""Tool of the listening agent: what it is called, the schema of its arguments, what it costs, and what it returns.

The same tool is called by the agent, which makes the arguments from a question, by `earwitness listen` and over MCP,
where whoever calls it gives them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated, Generic, NamedTuple, TypeAlias, TypeVar

from pydantic import ConfigDict, Field, SerializeAsAny, WithJsonSchema, model_validator

from services.errors import BadRequest
from services.protocols import ASR, LALM, Captioner
from services.types import SAMPLE_RATE, AudioClip, Evidence, Question, Reliability, Value

ID_DIGITS = 12  # of the SHA-256 of a recording's samples, which are its id


class Listeners(NamedTuple):
    """The models that a tool may call."""

    captioner: Captioner
    asr: ASR
    lalm: LALM | None = None
    """Hears a span beside the others where a tool is given a question about it; None: nobody does."""


class ToolInput(NamedTuple):
    """What the agent knows when it may call a tool."""

    question: Question
    clip: AudioClip
    evidence: tuple[Evidence, ...]
    """Evidence on the clip so far."""
    recording: int | None = None
    """Number of the clip among several; None: there is but one."""


class ListenedClip(NamedTuple):
    """Clip that a tool listens to, and what is known of it."""

    clip: AudioClip
    evidence: tuple[Evidence, ...] | None = None
    """What was heard in it before; None: nothing yet."""
    other: AudioClip | None = None
    """A second recording, for tools that compare."""
    open_channel: Callable[[int], AudioClip] | None = None
    """Reads one channel of the recording, counted from 1; None: only the mix of all is there."""


class ToolArguments(Value):
    """Arguments of a tool: none. Numbers are finite."""

    model_config = ConfigDict(allow_inf_nan=False)


class SpanArguments(ToolArguments):
    """A span of a recording."""

    start_s: float = Field(default=0.0, ge=0, description="Begin of the span to hear, seconds.")
    end_s: float | None = Field(default=None, gt=0, description="End of the span, seconds; default: the end.")

    @model_validator(mode="after")
    def _require_order(self) -> "SpanArguments":
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError(f"end_s is {self.end_s:g}, which is not after start_s, {self.start_s:g}")
        return self


class ClipDerivation(Value):
    """A recording that a tool made of another one."""

    id: str
    """First 12 hex digits of the SHA-256 of its samples."""
    source: str
    """Id of the recording that it was made of."""
    tool: str
    """Name of the tool that made it."""
    arguments: Annotated[SerializeAsAny[ToolArguments], WithJsonSchema({"type": "object"})]
    """Of any tool, each with its own fields."""
    duration_s: float


class DerivedClip(NamedTuple):
    """A recording that a tool made, with where it comes from."""

    derivation: ClipDerivation
    clip: AudioClip


class ToolResult(NamedTuple):
    """What a tool found."""

    findings: tuple[Evidence, ...] = ()
    """Times count from the beginning of the recording that the tool was given; empty: it says nothing."""
    derived: DerivedClip | None = None
    """The recording that it heard, where it made one."""


Arguments = TypeVar("Arguments", bound=ToolArguments)
RunTool: TypeAlias = Callable[[Listeners, ListenedClip, Arguments], Awaitable[ToolResult]]
MakeArguments: TypeAlias = Callable[[ToolInput], Arguments | None]


def plan_nothing(_: ToolInput) -> None:
    """Plan of a tool that the agent does not call by itself."""


def suit_any(_: Listeners) -> bool:
    """Say that a tool works with any models."""
    return True


@dataclass(frozen=True, slots=True)
class Tool(Generic[Arguments]):
    """A way to listen again."""

    name: str
    """For a tool that suits certain questions, its label in `agents.listening.classifiers.text_classifier`."""
    cost: int
    """Actions that it takes from the budget."""
    description: str
    """What it finds."""
    says_nothing: str
    """When it finds nothing."""
    arguments: type[Arguments]
    """Schema of its arguments."""
    run: RunTool[Arguments]
    plan: MakeArguments[Arguments] = field(default=plan_nothing)
    """Makes the arguments from a question; None: there is nothing to call it for."""
    suits: Callable[[Listeners], bool] = field(default=suit_any)
    """Whether it works with these models; where it does not, the agent leaves it out."""
    finds_when: bool = False
    """Whether it finds when something is heard."""
    is_read: bool = False
    """Whether the LLM reads what it finds, which says several things; else what it names votes for an option."""
    reliability: Reliability = "model"
    """Of what it finds, at best."""
    languages: tuple[str, ...] = ()
    """ISO 639-1 codes of the languages that its arguments may be in; empty: any."""

    def make_arguments(self, listeners: Listeners, tool_input: ToolInput) -> Arguments | None:
        """Make the arguments from a question; None: there is nothing to call the tool for."""
        return self.plan(tool_input) if self.suits(listeners) else None

    async def use(
        self, listeners: Listeners, tool_input: ToolInput, arguments: Arguments | None
    ) -> tuple[Evidence, ...]:
        """Call the tool for a question, unless there is nothing to call it for."""
        if arguments is None:
            return ()
        heard = ListenedClip(tool_input.clip, tool_input.evidence)
        return (await self.run(listeners, heard, arguments)).findings


def make_id(clip: AudioClip) -> str:
    """Return the id of a recording."""
    return clip.sha256[:ID_DIGITS]


def derive(tool: str, source: AudioClip, arguments: ToolArguments, clip: AudioClip) -> DerivedClip:
    """Return a clip that a tool made of another one, with where it comes from."""
    duration_s = round(clip.duration_s, 3)
    made = ClipDerivation(
        id=make_id(clip), source=make_id(source), tool=tool, arguments=arguments, duration_s=duration_s
    )
    return DerivedClip(made, clip)


def cut_span(clip: AudioClip, span: SpanArguments) -> tuple[float, float]:
    """Return begin and end of a span of a clip in seconds; `BadRequest` where nothing of the clip is in it."""
    if span.start_s >= clip.duration_s:
        raise BadRequest(
            f"start_s is {span.start_s:g}, but the recording lasts {clip.duration_s:.2f} s.", param="start_s"
        )
    end_s = min(clip.duration_s, clip.duration_s if span.end_s is None else span.end_s)
    if round(span.start_s * SAMPLE_RATE) == round(end_s * SAMPLE_RATE):
        raise BadRequest(f"From {span.start_s:g} to {end_s:g} s there is not one sample.", param="end_s")
    return span.start_s, end_s
