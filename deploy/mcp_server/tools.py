"""Tools of the MCP server: ask, transcribe, describe, list recordings, and each tool of the agent's catalogue."""

import json
import math
import reprlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

from pydantic import Field, ValidationError, create_model

from agents.listening.calls import ToolReport, call_tool
from agents.listening.tool import ListenedClip, Listeners
from agents.listening.tools import CATALOGUE, AnyTool, format_name
from deploy.mcp_server.folders import AllowedFolders, is_text
from services.cancellation import run_in_thread
from services.errors import BadRequest, word_problem
from services.http.options.option_lines import Split, split_options
from services.http.options.unread_options import warn_of_unread_options
from services.longform.hearing import Listen, hear_parts
from services.longform.split import split
from services.protocols import ASR, Answerer, Captioner
from services.questions import check_num_clips, check_question, check_total_duration
from services.types import Answer, AudioClip, Evidence, Value

RECORDING = "Path of the recording, as `recordings` lists it."


class Hearers(Protocol):
    """The models behind the server."""

    async def find_answerer(self, name: str | None) -> Answerer:
        """Return what answers questions under a name, the default for None."""

    async def find_asr(self) -> ASR:
        """Return the ASR."""

    async def find_captioner(self) -> Captioner:
        """Return the captioner."""


class McpContext(NamedTuple):
    """What a call works with."""

    hearers: Hearers
    folders: AllowedFolders
    open_clip: Callable[[Path], Awaitable[ListenedClip]]
    """Reads a recording."""
    longest_s: float = math.inf
    """Seconds that the recordings of one question may last together."""


class NoRecording(Value):
    """Arguments of a call about no recording."""


class RecordingArguments(Value):
    """Arguments of a call about one recording."""

    recording: str = Field(description=RECORDING)


class AskArguments(RecordingArguments):
    """Arguments of a question."""

    further_recordings: tuple[str, ...] = Field(
        default=(),
        description="Paths of further recordings that the question is about: it may call them the second, the third …",
    )
    question: str = Field(min_length=1, description="What to ask about the recording or the recordings.")
    options: tuple[str, ...] = Field(
        default=(),
        description="Options to choose from, with a probability for each; none: those in the question, or free text.",
    )
    model: str | None = Field(default=None, description="Name of what answers; default: what the server chose.")
    explain: bool = Field(default=False, description="Whether to give reasons: claims that cite evidence, checked.")


class RecordingNames(Value):
    """The recordings that can be named."""

    recordings: tuple[str, ...]
    num_unnameable: int = 0
    """Further ones whose names are not UTF-8; renamed, they can be heard."""
    is_cut_off: bool = False
    """Whether the list ends before the last one; those beyond can be heard too, by their names."""


class HeardEvidence(Value):
    """What a model heard in a recording."""

    source: str
    """Catalogue name of the model."""
    duration_s: float
    evidence: tuple[Evidence, ...]
    """In order of start."""


Arguments = TypeVar("Arguments", bound=Value)
Work: TypeAlias = Callable[[McpContext, Arguments], Awaitable[Value]]


class OfferedTool(NamedTuple, Generic[Arguments]):
    """A tool as an MCP client sees it."""

    name: str
    description: str
    arguments: type[Arguments]
    result: type[Value]
    work: Work[Arguments]

    @property
    def result_schema(self) -> dict[str, Any]:
        """The JSON schema of what a call returns."""
        return self.result.model_json_schema(mode="serialization")

    async def call(self, context: McpContext, given: Mapping[str, object]) -> Value:
        """Check the arguments and do the work; `BadRequest` says which argument is wrong.

        Models that call tools write null for an argument that they leave out.
        """
        said = {name: value for name, value in given.items() if value is not None}
        try:
            arguments = self.arguments.model_validate_json(json.dumps(said))
        except ValidationError as error:
            raise self._refuse(error, said) from None
        return await self.work(context, arguments)

    def _refuse(self, error: ValidationError, said: Mapping[str, object]) -> BadRequest:
        """Name the argument that is wrong, its value, and what would work."""
        fault = error.errors()[0]
        name = ".".join(map(str, fault["loc"]))
        known = ", ".join(self.arguments.model_fields) or "no arguments"
        if fault["type"] == "json_invalid":  # JSON as we write it holds half of a pair of surrogates at most
            broken = next((one for one, value in said.items() if not is_text(str(value))), "arguments")
            return BadRequest(f"{broken}: the text ends or breaks inside of a character.", param=broken)
        given = "" if fault["type"] == "missing" else f" {reprlib.repr(fault['input'])} was given."
        return BadRequest(f"{name}: {word_problem(fault)}.{given} {self.name} takes {known}.", param=name or None)


AnyOffered: TypeAlias = OfferedTool[Any]


def offer_tools() -> Mapping[str, AnyOffered]:
    """Return every tool by its name."""
    own: tuple[AnyOffered, ...] = (
        OfferedTool(
            "recordings", "List the recordings that can be named.", NoRecording, RecordingNames, _list_recordings
        ),
        OfferedTool(
            "ask",
            "Answer a question about a recording or several, with the evidence that the answer rests on.",
            AskArguments,
            Answer,
            _ask,
        ),
        OfferedTool(
            "transcribe", "Write down what is said, with times.", RecordingArguments, HeardEvidence, _transcribe
        ),
        OfferedTool(
            "describe",
            "Describe what is heard: sounds, speakers, music, level and quality, with times and confidences.",
            RecordingArguments,
            HeardEvidence,
            _describe,
        ),
    )
    return {tool.name: tool for tool in (*own, *map(_offer, CATALOGUE.values()))}


def _offer(tool: AnyTool) -> AnyOffered:
    """Offer a tool of the catalogue, with its own arguments beside the recording."""
    fields: dict[str, Any] = {"recording": (str, Field(description=RECORDING))}
    name = "compare" if tool.name == "compare" else f"listen_{tool.name.replace(' ', '_')}"
    if tool.name == "compare":
        about = "Path of the second recording; default: both spans are of the first."
        fields["other_recording"] = (str | None, Field(default=None, description=about))
    arguments = create_model(f"Arguments of {format_name(tool)}", __base__=tool.arguments, **fields)
    languages = f" Arguments in {', '.join(tool.languages)}." if tool.languages else ""
    description = f"{tool.description}{languages} Finds nothing where: {tool.says_nothing}"
    return OfferedTool(name, description, arguments, ToolReport, partial(_listen, tool))


async def _list_recordings(context: McpContext, _: NoRecording) -> RecordingNames:
    listed = await run_in_thread(context.folders.list_names)
    return RecordingNames(recordings=listed.names, num_unnameable=listed.num_unnameable, is_cut_off=listed.is_cut_off)


async def _ask(context: McpContext, asked: AskArguments) -> Answer:
    split = Split(asked.question, asked.options) if asked.options else split_options(asked.question)
    question = check_question(split.question, split.options)
    question = question.model_copy(update={"wants_reasons": asked.explain})
    check_num_clips(1 + len(asked.further_recordings), param="further_recordings")
    answerer = await context.hearers.find_answerer(asked.model)
    clips: list[AudioClip] = []
    for name in (asked.recording, *asked.further_recordings):
        clips.append((await _open(context, name)).clip)
        check_total_duration([clip.duration_s for clip in clips], context.longest_s, param="further_recordings")
    answer = await answerer.answer(question, *clips)
    warnings = () if asked.options else warn_of_unread_options(split)
    return answer.model_copy(update={"warnings": warnings}) if warnings else answer


async def _transcribe(context: McpContext, asked: RecordingArguments) -> HeardEvidence:
    asr = await context.hearers.find_asr()
    return await _hear(context, asked, asr.name, asr.transcribe)


async def _describe(context: McpContext, asked: RecordingArguments) -> HeardEvidence:
    captioner = await context.hearers.find_captioner()
    return await _hear(context, asked, captioner.name, captioner.caption)


async def _hear(context: McpContext, asked: RecordingArguments, source: str, listen: Listen) -> HeardEvidence:
    clip = (await _open(context, asked.recording)).clip
    heard = await hear_parts(await split(clip), listen)
    return HeardEvidence(source=source, duration_s=round(clip.duration_s, 3), evidence=heard.statements)


async def _listen(tool: AnyTool, context: McpContext, asked: Value) -> ToolReport:
    given = asked.model_dump(exclude_unset=True)
    heard = await _open(context, given.pop("recording"))
    if other := given.pop("other_recording", None):
        heard = heard._replace(other=(await _open(context, other)).clip)
    listeners = Listeners(await context.hearers.find_captioner(), await context.hearers.find_asr())
    return (await call_tool(listeners, heard, tool.name, given)).report


async def _open(context: McpContext, name: str) -> ListenedClip:
    return await context.open_clip(await run_in_thread(context.folders.find, name))
