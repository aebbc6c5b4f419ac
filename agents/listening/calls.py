"""Calls of tools by name: arguments are checked against the tool's schema, and the outcome is a record."""

import reprlib
from collections.abc import Mapping
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from agents.listening.tool import ClipDerivation, DerivedClip, ListenedClip, Listeners, ToolArguments, make_id
from agents.listening.tools import CATALOGUE, AnyTool, find_tool, format_name
from services.errors import BadRequest, word_problem
from services.types import Evidence, Reliability, Value


class ToolDescription(Value):
    """A tool of the catalogue, as its callers see it."""

    name: str
    description: str
    says_nothing: str
    """When it finds nothing."""
    cost: int
    """Actions that it takes from the agent's budget."""
    reliability: Reliability
    """Of what it finds, at best."""
    languages: tuple[str, ...]
    """ISO 639-1 codes of the languages that its arguments may be in; empty: any."""
    arguments: dict[str, Any]
    """JSON schema of its arguments."""


class ToolReport(Value):
    """What a tool found in a recording."""

    tool: str
    recording: str
    """First 12 hex digits of the SHA-256 of the recording's samples."""
    findings: tuple[Evidence, ...]
    """Times count from the beginning of the recording."""
    says_nothing: str | None
    """Where there are no findings: what that may mean."""
    derived: ClipDerivation | None
    """The recording that the tool made and heard."""


class ToolOutcome(NamedTuple):
    """What a call brought."""

    report: ToolReport
    derived: DerivedClip | None


def describe_tools() -> tuple[ToolDescription, ...]:
    """Describe every tool of the catalogue."""
    return tuple(describe_tool(tool) for tool in CATALOGUE.values())


def describe_tool(tool: AnyTool) -> ToolDescription:
    """Describe a tool."""
    return ToolDescription(
        name=format_name(tool),
        description=tool.description,
        says_nothing=tool.says_nothing,
        cost=tool.cost,
        reliability=tool.reliability,
        languages=tool.languages,
        arguments=tool.arguments.model_json_schema(),
    )


def read_arguments(tool: AnyTool, given: Mapping[str, object]) -> ToolArguments:
    """Check arguments against the schema of a tool; `BadRequest` says which one is wrong, and what would work."""
    try:
        arguments: ToolArguments = tool.arguments.model_validate(dict(given))
    except ValidationError as error:
        fault = min(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        name = ".".join(map(str, fault["loc"]))
        problem = {"extra_forbidden": "is not an argument of it", "missing": "is missing"}.get(fault["type"])
        value = f"{name} is {reprlib.repr(fault['input'])}" if name else ""
        what = f"{name} {problem}" if problem else ": ".join(filter(None, (value, word_problem(fault))))
        message = f"Tool {format_name(tool)!r}: {what}. It takes {list_arguments(tool)}."
        raise BadRequest(message, param=name or None) from None
    return arguments


def list_arguments(tool: AnyTool) -> str:
    """List the arguments of a tool in words, with what they default to."""
    fields: Mapping[str, FieldInfo] = tool.arguments.model_fields
    return ", ".join(_format_field(name, field) for name, field in fields.items()) or "none"


def _format_field(name: str, field: FieldInfo) -> str:
    return f"{name} (required)" if field.is_required() else name


async def call_tool(listeners: Listeners, heard: ListenedClip, name: str, given: Mapping[str, object]) -> ToolOutcome:
    """Call a tool by its name with arguments that are not checked yet."""
    tool = find_tool(name)
    result = await tool.run(listeners, heard, read_arguments(tool, given))
    report = ToolReport(
        tool=format_name(tool),
        recording=make_id(heard.clip),
        findings=result.findings,
        says_nothing=None if result.findings else tool.says_nothing,
        derived=result.derived.derivation if result.derived else None,
    )
    return ToolOutcome(report, result.derived)
