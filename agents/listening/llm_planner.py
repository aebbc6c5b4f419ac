"""Planning by an LLM: it reads the evidence and the catalogue of tools, and replies in JSON of a schema.

It says what is missing, which tool to call with which arguments, or that it stops, and why. Code checks every plan: a
reply in prose, an unknown tool, arguments that its schema refuses and a call that was made before are counted in the
trace and corrected once; then the classifier plans the rest of the question, and the trace names it.
"""

from collections.abc import Mapping
from time import perf_counter
from typing import Any, NamedTuple

from pydantic import BaseModel, JsonValue

from agents.degradation import STRICT, Policy
from agents.listening.calls import describe_tool, read_arguments
from agents.listening.classifiers.spoken import hide_named_speech
from agents.listening.planner import ClassifierPlanner, PlanInput, PlannedStep, Planner, ToolCall, note_plan
from agents.listening.tool import SpanArguments, ToolArguments, ToolInput, cut_span
from agents.listening.tools import CAPTION, SPAN, TOOLS, AnyTool, ChosenTool, format_name
from agents.reading.marks import read_json_reply
from agents.reading.prompts import build_plan_prompt, build_repair_prompt, make_object_schema
from agents.reading.relevance import fit_statements
from lalm.statements import name_statements
from services.errors import BadConfig, BadRequest
from services.protocols import LLM, StructuredLLM
from services.types import Evidence, Message, PlanFault, ToolPlan, TraceStep, Usage

STOP = "stop"
NUM_TRIES = 2  # a plan that cannot be carried out is corrected once
MAX_WHY_CHARS = 2_000  # of the reasons that an LLM writes beside a plan
MAX_UNREAD_CHARS = 300  # of a reply that is shown because it could not be read
SCHEMA_KEYS = ("type", "enum", "items", "anyOf")  # what every server that takes schemas knows


class _WrittenPlan(BaseModel):
    """A plan as an LLM writes it."""

    missing: str = ""
    tool: str
    arguments: dict[str, JsonValue] = {}
    why: str = ""


class _CheckedPlan(NamedTuple):
    plan: ToolPlan
    chosen: ChosenTool | None = None


class _Tried(NamedTuple):
    """The tries of one choice."""

    trace: tuple[TraceStep, ...] = ()
    usage: Usage = Usage()


class LLMPlanner:
    """Has an LLM plan, and where it does not bring about a plan, the classifier.

    Args:
        llm: plans.
        policy: which of its errors leave planning to the classifier instead of failing the answer.
        otherwise: plans where the LLM does not.
    """

    def __init__(self, llm: StructuredLLM, policy: Policy = STRICT, otherwise: Planner | None = None) -> None:
        self._llm, self._policy, self._otherwise = llm, policy, otherwise or ClassifierPlanner()

    async def choose(self, known: PlanInput) -> PlannedStep:
        """Choose a tool or an end; once the LLM has failed to, the classifier does for the rest of the question."""
        has_failed = any(one.plan and one.plan.planner == "classifier" for one in known.trace)
        if known.end:
            plan = ToolPlan(planner="classifier" if has_failed else "llm", end=known.end)
            return PlannedStep(trace=(note_plan(plan),))
        if has_failed:
            return await self._choose_otherwise(known, _Tried())
        tools, tried = list_callable(known), _Tried()
        messages = self._build_prompt(known, tools)
        for _ in range(NUM_TRIES):
            started = perf_counter()
            try:
                reading = await self._llm.complete_as(messages, make_plan_schema(tools))
            except self._policy.tolerates as error:
                failed = ToolPlan(planner="llm", fault="failed", why=str(error))
                tried = tried._replace(trace=(*tried.trace, note_plan(failed, perf_counter() - started)))
                break
            found = check_plan(reading.reply, known, tools)
            step = note_plan(found.plan, perf_counter() - started)
            tried = _Tried((*tried.trace, step), tried.usage + reading.usage)
            if not found.plan.fault:
                return PlannedStep(found.chosen, tried.trace, tried.usage)
            messages = build_repair_prompt(messages, reading.reply, found.plan.why)
        return await self._choose_otherwise(known, tried)

    async def _choose_otherwise(self, known: PlanInput, tried: _Tried) -> PlannedStep:
        """Let the classifier choose, by name."""
        step = await self._otherwise.choose(known)
        name = format_name(step.chosen.tool) if step.chosen else None
        plan = ToolPlan(planner="classifier", tool=name, end=None if name else "no_tool")
        plans = (one.plan for one in tried.trace if one.plan)
        failed = tuple(f"no plan by {self._llm.name}: {one.why}" for one in plans if one.fault == "failed")
        return step._replace(trace=(*tried.trace, note_plan(plan)), usage=tried.usage, degraded=failed)

    def _build_prompt(self, known: PlanInput, tools: Mapping[str, AnyTool]) -> tuple[Message, ...]:
        question = known.now[0].question
        shown = fit_statements(_list_known(known), self._llm.style.max_chars)
        calls = tuple(map(format_call, known.calls))
        return build_plan_prompt(question, shown, tools=format_tools(tools), calls=calls, num_left=known.num_left)


def require_planner(llm: LLM) -> StructuredLLM:
    """Return an LLM that can plan; `BadConfig` where its replies cannot be held to a schema."""
    if not (isinstance(llm, StructuredLLM) and llm.takes_schema):
        raise BadConfig(
            f"The LLM {llm.name!r} cannot plan: its replies cannot be held to a JSON schema. Leave out --planner llm, "
            "or name an LLM on an OpenAI-compatible server with --llm-url."
        )
    return llm


def list_callable(known: PlanInput) -> dict[str, AnyTool]:
    """Return name -> tool that these models can run and what is left of the budget allows."""
    fitting = (tool for tool in (*TOOLS.values(), SPAN, CAPTION) if tool.cost <= known.num_left)
    return {format_name(tool): tool for tool in fitting if tool.suits(known.listeners)}


def make_plan_schema(tools: Mapping[str, AnyTool]) -> dict[str, Any]:
    """Make the JSON schema of a plan. Strict ones require every field: an argument that is left out is null."""
    fields = {
        name: {"anyOf": [_strip(schema), {"type": "null"}]}
        for tool in tools.values()
        for name, schema in describe_tool(tool).arguments.get("properties", {}).items()
    }
    text = {"type": "string"}
    named = {"type": "string", "enum": [*tools, STOP]}
    return make_object_schema(missing=text, tool=named, arguments=make_object_schema(**fields), why=text)


def _strip(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema without bounds and defaults, which not every server takes; code checks them."""
    kept = {key: schema[key] for key in SCHEMA_KEYS if key in schema}
    if "items" in kept:
        kept["items"] = _strip(kept["items"])
    if "anyOf" in kept:
        kept["anyOf"] = [_strip(one) for one in kept["anyOf"]]
    return kept


def check_plan(reply: str, known: PlanInput, tools: Mapping[str, AnyTool]) -> _CheckedPlan:
    """Check what an LLM wrote: a plan, of a tool that may be called, with arguments that it takes, and not again."""
    written = read_json_reply(reply, _WrittenPlan)
    if written is None:
        plan = ToolPlan(planner="llm", fault="unreadable", why=f"not JSON of the schema: {reply[:MAX_UNREAD_CHARS]}")
        return _CheckedPlan(plan)
    given: dict[str, JsonValue] = {name: value for name, value in written.arguments.items() if value is not None}
    missing, why = written.missing[:MAX_WHY_CHARS], written.why[:MAX_WHY_CHARS]
    plan = ToolPlan(planner="llm", missing=missing, tool=written.tool, arguments=given, why=why)
    if written.tool == STOP:
        return _CheckedPlan(plan.model_copy(update={"tool": None, "arguments": {}, "end": "enough"}))
    tool = tools.get(written.tool)
    if tool is None:
        return _refuse(plan, "unknown_tool", f"{written.tool!r} is none of {', '.join(tools)} and {STOP}.")
    try:
        arguments = tuple(_complete(tool, one, given) for one in known.now)
    except BadRequest as error:
        return _refuse(plan, "bad_arguments", str(error))
    if ToolCall(tool.name, arguments) in known.calls:
        return _refuse(plan, "repeated", f"{written.tool} was called so before: it finds nothing new.")
    return _CheckedPlan(plan, ChosenTool(tool, 1.0, arguments))


def _complete(tool: AnyTool, tool_input: ToolInput, given: Mapping[str, JsonValue]) -> ToolArguments:
    """Return the arguments of a call: those given, and else those that the tool makes from the question."""
    made = tool.plan(tool_input)
    arguments = read_arguments(tool, {**(dict(made) if made else {}), **given})
    if isinstance(arguments, SpanArguments):
        cut_span(tool_input.clip, arguments)
    return arguments


def _refuse(plan: ToolPlan, fault: PlanFault, why: str) -> _CheckedPlan:
    return _CheckedPlan(plan.model_copy(update={"fault": fault, "why": why}))


def _list_known(known: PlanInput) -> dict[str, Evidence]:
    """Return what the planner may read by its ids; of what is said, what a reader gets."""
    return hide_named_speech(known.now[0].question, name_statements(known.evidence))


def format_tools(tools: Mapping[str, AnyTool]) -> str:
    """Format tools as lines of a prompt, each with the names of its arguments, and below them what these are."""
    described = [describe_tool(tool) for tool in tools.values()]
    meanings: dict[str, str] = {}
    lines = list[str]()
    for one in described:
        required = one.arguments.get("required", ())
        fields: Mapping[str, Any] = one.arguments.get("properties", {})
        names = ", ".join(f"{name} (required)" if name in required else name for name in fields)
        cost = "1 action" if one.cost == 1 else f"{one.cost} actions"
        lines.append(f"- {one.name} ({cost}): {one.description} Arguments: {names or 'none'}.")
        meanings = {name: schema.get("description", "") for name, schema in fields.items()} | meanings
    return "\n".join([*lines, "Arguments:", *(f"- {name}: {meaning}" for name, meaning in meanings.items())])


def format_call(call: ToolCall) -> str:
    """Format a call that was made."""
    given = next((one for one in call.arguments if one), None)
    return f"{call.tool} {given.model_dump_json(exclude_defaults=True) if given else '(nothing to listen for)'}"
