"""`earwitness listen`: one tool of the agent's catalogue over one recording, with arguments from the command line."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, get_origin

from rich.console import Console
from rich.table import Column, Table

from agents.listening.calls import (
    ToolDescription,
    ToolOutcome,
    ToolReport,
    call_tool,
    describe_tools,
    list_arguments,
    read_arguments,
)
from agents.listening.tool import ListenedClip, Listeners
from agents.listening.tools import AnyTool, find_tool, format_name
from agents.models import LocalModels, ModelNames
from eval.display.tables import print_line, print_table
from services.audio.load import load, load_channel
from services.errors import BadConfig
from services.progress import report_stage
from services.types import SAMPLE_RATE, Evidence, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenRequest:
    """A tool, what it is to hear, and the options of the command; None stands for the default."""

    clip: Path
    tool: str
    flags: tuple[str, ...]
    """The tool's arguments as they were given: `--phrase`, `no`."""
    other: Path | None = None
    captioner: str | None = None
    asr: str | None = None
    lalm: str | None = None
    save: Path | None = None
    """WAV file for the recording that the tool makes."""


class ToolList(Value):
    """The catalogue as JSON."""

    tools: tuple[ToolDescription, ...]


def listen(request: ListenRequest) -> ToolReport:
    """Call the tool: its name and arguments are checked first, then the recordings, and last models are opened."""
    tool = find_tool(request.tool)
    given = parse_flags(tool, request.flags)
    read_arguments(tool, given)
    if request.other and tool.name != "compare":
        raise BadConfig(f"Tool {format_name(tool)!r} hears one recording: leave out --other, or take compare.")
    with report_stage("decode"):
        clip = load(request.clip)
        other = load(request.other) if request.other else None
    open_channel = None if request.clip.is_fifo() else partial(load_channel, request.clip)
    heard = ListenedClip(clip, other=other, open_channel=open_channel)
    with report_stage("open models"):
        listeners = _open_listeners(request)
    with report_stage(format_name(tool)):
        outcome = asyncio.run(call_tool(listeners, heard, tool.name, given))
    if request.save:
        _save(outcome, request.save)
    return outcome.report


def parse_flags(tool: AnyTool, flags: Sequence[str]) -> dict[str, object]:
    """Parse `--name value` and `--name=value` by the schema of a tool; an argument that holds several is repeated."""
    given: dict[str, object] = {}
    rest = list(flags)
    while rest:
        flag, has_value, value = rest.pop(0).partition("=")
        name = flag.removeprefix("--").replace("-", "_")
        if not flag.startswith("--"):
            raise BadConfig(f"{flag!r} belongs to no argument of {format_name(tool)!r}; it takes {_list_flags(tool)}.")
        if not has_value:
            if not rest:
                raise BadConfig(f"{flag} has no value; {format_name(tool)!r} takes {_list_flags(tool)}.")
            value = rest.pop(0)
        field = tool.arguments.model_fields.get(name)
        if field is None:
            raise BadConfig(f"{format_name(tool)!r} has no argument {flag}; it takes {_list_flags(tool)}.")
        if get_origin(field.annotation) is tuple:
            earlier = given.get(name, ())
            assert isinstance(earlier, tuple)
            given[name] = (*earlier, value)
        elif name in given:
            raise BadConfig(f"{flag} is given twice.")
        else:
            given[name] = value
    return given


def print_report(report: ToolReport, out: IO[str]) -> None:
    """Print what a tool found, a line for each statement."""
    console = Console(file=out, highlight=False, markup=False)
    if report.derived:
        made = report.derived
        print_line(f"Heard: {made.id}, {made.duration_s:.2f} s, made of {made.source} by {made.tool}.", console)
    if report.says_nothing:
        print_line(f"Nothing found. {report.says_nothing}", console)
        return
    table = Table(Column("seconds", justify="right"), "kind", Column("sure", justify="right"), "finding", box=None)
    table.pad_edge, table.header_style = False, "dim"
    for one in report.findings:
        sure = "" if one.confidence is None else f"{one.confidence:.2f}"
        table.add_row(_format_span(one), one.kind, sure, one.text)
    print_table(table, console)


def print_tools(out: IO[str], *, as_json: bool) -> None:
    """Print the catalogue: a table, or JSON with the schema of each tool's arguments."""
    if as_json:
        print(ToolList(tools=describe_tools()).model_dump_json(), file=out)
        return
    table = Table("tool", "what it finds", "arguments", Column("actions", justify="right"), "nothing where", box=None)
    table.pad_edge, table.header_style = False, "dim"
    for one in describe_tools():
        arguments = _list_flags(find_tool(one.name))
        table.add_row(one.name, one.description, arguments, str(one.cost), one.says_nothing)
    print_table(table, Console(file=out, highlight=False, markup=False))


def _open_listeners(request: ListenRequest) -> Listeners:
    chosen = {"captioner": request.captioner, "asr": request.asr, "lalm": request.lalm}
    named = {role: name for role, name in chosen.items() if name is not None}
    models = LocalModels(ModelNames.model_validate(named))
    return Listeners(models.open_captioner(), models.open_asr(), models.open_lalm() if request.lalm else None)


def _save(outcome: ToolOutcome, path: Path) -> None:
    import soundfile

    if outcome.derived is None:
        raise BadConfig(f"Tool {outcome.report.tool!r} made no recording here: leave out --save.")
    wav = BytesIO()  # to a file libsndfile writes by callbacks, which print a traceback where the disk is full
    soundfile.write(wav, outcome.derived.clip.samples, SAMPLE_RATE, subtype="PCM_16", format="WAV")
    try:
        path.write_bytes(wav.getbuffer())
    except OSError as error:
        raise BadConfig(f"'{path}' cannot be written: {error.strerror}.") from error


def _list_flags(tool: AnyTool) -> str:
    names = [f"--{name.replace('_', '-')}" for name in tool.arguments.model_fields]
    return list_arguments(tool) if not names else ", ".join(names)


def _format_span(statement: Evidence) -> str:
    end = "end" if statement.end_s is None else f"{statement.end_s:.2f}"
    return f"{statement.start_s:.2f}-{end}"
