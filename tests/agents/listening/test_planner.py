"""Planning by the classifier, and what a plan looks like in the trace."""

import numpy as np
import pytest

from agents.listening.planner import ClassifierPlanner, PlanInput, ToolCall, note_plan
from agents.listening.tool import Listeners, ToolInput
from services.scripted.ears import ScriptedEars
from services.types import AudioClip, PlanEnd, Question, ToolPlan

CLIP = AudioClip(np.zeros(16_000 * 4, np.float32))
HOW_MANY = ToolInput(Question.ask("How many knocks are heard?", ("Two", "Three")), CLIP, ())


def know(*called: str, num_left: int = 3, is_separate: bool = False) -> PlanInput:
    ears = ScriptedEars()
    return PlanInput(
        listeners=Listeners(ears, ears),
        first=(HOW_MANY,),
        now=(HOW_MANY,),
        evidence=(),
        calls=tuple(ToolCall(name, (None,)) for name in called),
        trace=(),
        num_left=num_left,
        is_separate=is_separate,
    )


@pytest.mark.parametrize(
    ("known", "tool"),
    [
        (know(), "count"),
        (know("count"), "caption"),
        (know("count", "caption"), None),
        (know(num_left=0), None),
        (know(is_separate=True), None),
    ],
)
async def test_the_classifier_calls_what_the_question_asks_for_in_order_each_once(
    known: PlanInput, tool: str | None
) -> None:
    planned = await ClassifierPlanner().choose(known)
    assert (planned.chosen.tool.name if planned.chosen else None) == tool
    assert planned.trace == ()


@pytest.mark.parametrize(
    ("known", "end"),
    [(know(), None), (know(num_left=0), "spent"), (know(num_left=0, is_separate=True), "separate")],
)
def test_no_planner_is_asked_where_the_options_are_separate_or_the_budget_is_spent(
    known: PlanInput, end: PlanEnd | None
) -> None:
    assert known.end == end


def test_the_step_of_a_plan_says_in_words_what_its_fields_say() -> None:
    texts = {
        "llm calls find-sound": ToolPlan(planner="llm", tool="find-sound"),
        "llm ends, nothing more is needed": ToolPlan(planner="llm", end="enough"),
        "llm named a tool that there is not: sonar": ToolPlan(planner="llm", tool="sonar", fault="unknown_tool"),
        "llm gave a reply that is not a plan": ToolPlan(planner="llm", fault="unreadable"),
        "classifier ends, no tool is left": ToolPlan(planner="classifier", end="no_tool"),
    }
    for text, plan in texts.items():
        step = note_plan(plan, 0.5)
        assert (step.text, step.plan, step.seconds) == (text, plan, 0.5)
