"""Planning: a planner chooses the next tool that listens again, or that none is needed.

The classifier of `agents.listening.classifiers.text_classifier` estimates from the question alone which tool it asks
for; an LLM (`agents.listening.llm_planner`) reads what was found so far.
"""

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from agents.listening.tool import Listeners, ToolArguments, ToolInput
from agents.listening.tools import ChosenTool, SelectTools, select_tools
from services.types import Evidence, PlanEnd, PlanFault, ToolPlan, TraceStep, Usage

ENDS: Mapping[PlanEnd, str] = {
    "separate": "ends, the options are separate",
    "spent": "ends, the budget is spent",
    "enough": "ends, nothing more is needed",
    "no_tool": "ends, no tool is left",
}
FAULTS: Mapping[PlanFault, str] = {
    "unreadable": "gave a reply that is not a plan",
    "unknown_tool": "named a tool that there is not",
    "bad_arguments": "gave arguments that the tool does not take",
    "repeated": "repeated a call",
    "failed": "failed",
}
"""What became of a plan -> what the text of its step says."""


class ToolCall(NamedTuple):
    """A call that was made."""

    tool: str
    arguments: tuple[ToolArguments | None, ...]
    """For each recording; None: there was nothing to call the tool for."""


class PlanInput(NamedTuple):
    """What a planner knows."""

    listeners: Listeners
    """The models that the tools may call."""
    first: tuple[ToolInput, ...]
    """The question and the recordings, with what was heard before the first call."""
    now: tuple[ToolInput, ...]
    """The same with all that was found since."""
    evidence: tuple[Evidence, ...]
    """All of it, in the order of the answer."""
    calls: tuple[ToolCall, ...]
    trace: tuple[TraceStep, ...]
    """The steps of listening again."""
    num_left: int
    """Actions that are left of the budget."""
    is_separate: bool
    """Whether the options are separate."""

    @property
    def end(self) -> PlanEnd | None:
        """Why no planner need be asked; None: one is."""
        return "separate" if self.is_separate else "spent" if not self.num_left else None


class PlannedStep(NamedTuple):
    """What a planner chose."""

    chosen: ChosenTool | None = None
    """None: listening again ends here."""
    trace: tuple[TraceStep, ...] = ()
    """What the planner says of it."""
    usage: Usage = Usage()
    degraded: tuple[str, ...] = ()
    """What was missing in planning."""


class Planner(Protocol):
    """Chooses the next tool."""

    async def choose(self, known: PlanInput) -> PlannedStep:
        """Choose a tool that costs no more than is left, or none."""


class ClassifierPlanner:
    """Calls the tools that a question asks for by its words, in order, each once.

    Args:
        select: chooses them.
    """

    def __init__(self, select: SelectTools = select_tools) -> None:
        self._select = select

    async def choose(self, known: PlanInput) -> PlannedStep:
        """Choose the first tool that was not called and that the budget allows."""
        if known.end:
            return PlannedStep()
        called = {one.tool for one in known.calls}
        fitting = (one for one in self._select(*known.first) if one.tool.cost <= known.num_left)
        return PlannedStep(next((one for one in fitting if one.tool.name not in called), None))


def note_plan(plan: ToolPlan, seconds: float | None = None) -> TraceStep:
    """Return the step of a plan: its text is for people, the plan for code."""
    became = FAULTS[plan.fault] if plan.fault else ENDS[plan.end] if plan.end else "calls"
    text = f"{plan.planner} {became}" + (f": {plan.tool}" if plan.fault and plan.tool else "")
    return TraceStep(step="plan", text=text if became != "calls" else f"{text} {plan.tool}", plan=plan, seconds=seconds)
