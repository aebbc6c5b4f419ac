"""Planning by an LLM: its plans are carried out; a faulty one is corrected once, then the classifier takes over."""

import asyncio
import json
from collections.abc import Callable

import jsonschema
import numpy as np
import pytest

from agents.cascade import Cascade
from agents.degradation import DEGRADING, SHARES, STRICT, Policy
from agents.listening.listening import FollowUp
from agents.listening.llm_planner import LLMPlanner, list_callable, make_plan_schema, require_planner
from agents.listening.planner import PlanInput
from agents.listening.tool import Listeners, ToolInput
from agents.paths import make_builder
from services.deadline import set_deadline
from services.errors import BadConfig, ModelError
from services.scripted.clock import SimulatedClock
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ReplyRule, ScriptedLLM, ScriptedStructuredLLM
from services.scripted.models import ScriptedModels
from services.scripted.rules import fail_with, weigh
from services.types import Answer, AudioClip, Evidence, PlanFault, Question, ToolPlan

CLIP = AudioClip(np.zeros(16_000 * 4, np.float32))
HOW_MANY = Question.ask("How many knocks are heard?", ("Two", "Three", "Four"), id="q1")
NEVER_SEPARATE = (0.34, 0.33, 0.33)
HEARD = Evidence(kind="sound", source="ears", revision="1", text="Knocking.", end_s=3.0)
COUNTED = Evidence(kind="event", source="ears", revision="1", text="Number of separate events: 3.", end_s=4.0)
REMARK = Evidence(kind="caption", source="ears", revision="1", text="Somebody knocks on wood.", end_s=4.0)


def write(tool: str, missing: str = "the number of knocks", why: str = "it counts", **arguments: object) -> str:
    return json.dumps({"missing": missing, "tool": tool, "arguments": arguments, "why": why})


def say(*replies: str) -> Callable[[str], str]:
    """Return a rule that replies in turn, and the last reply again and again."""
    turns = list(replies)
    return lambda _: turns.pop(0) if len(turns) > 1 else turns[0]


def open_llm(rule: ReplyRule) -> ScriptedStructuredLLM:
    return ScriptedStructuredLLM(rule, weigh(*NEVER_SEPARATE), name="planning")


def refine(
    llm: ScriptedStructuredLLM,
    ears: ScriptedEars | None = None,
    *,
    budget: int = 2,
    policy: Policy = STRICT,
    question: Question = HOW_MANY,
) -> Answer:
    ears = ears or ScriptedEars(lambda _, focus: (REMARK,) if focus else ())
    answer = Answer(
        question_id="q1",
        reply="A",
        choice=question.choices[0],
        probabilities=dict(zip("ABC", NEVER_SEPARATE, strict=True)),
        path="cascade",
        evidence=(HEARD,),
    )
    planner = LLMPlanner(llm, policy)
    follow_up = FollowUp(Listeners(ears, ears), llm, budget=budget, policy=policy, planner=planner)
    return asyncio.run(follow_up.refine(question, (CLIP,), answer))[-1]


def list_plans(answer: Answer) -> list[ToolPlan]:
    return [one.plan for one in answer.trace if one.plan]


def list_faults(answer: Answer) -> list[PlanFault]:
    return [one.fault for one in list_plans(answer) if one.fault]


@pytest.mark.slow
def test_the_llm_calls_a_tool_with_its_own_arguments_then_another_and_says_why_it_stops() -> None:
    llm = open_llm(
        say(write("count", start_s=1.0, end_s=3.0), write("quality", "how it was recorded"), write("stop", missing=""))
    )
    ears = ScriptedEars(lambda _, focus: (REMARK,) if focus else ())
    answer = refine(llm, ears, budget=3)
    assert [clip.duration_s for clip in ears.captioned] == [2.0, 4.0]
    assert [focus.topic for focus in ears.focuses if focus] == ["count", "quality"]
    assert all(focus and focus.options == ("Two", "Three", "Four") for focus in ears.focuses)
    called, other, stopped = list_plans(answer)
    assert (called.tool, called.missing, called.why) == ("count", "the number of knocks", "it counts")
    assert called.arguments == {"start_s": 1.0, "end_s": 3.0} and other.missing == "how it was recorded"
    assert (stopped.tool, stopped.end) == (None, "enough")
    assert [one.step for one in answer.trace] == ["plan", "listen again", "plan", "listen again", "plan"]
    assert answer.degraded == ()


def test_the_llm_reads_what_was_found_by_id_and_time_and_which_calls_were_made() -> None:
    llm = open_llm(say(write("count"), write("stop")))
    refine(llm, ScriptedEars(lambda _, focus: (COUNTED,) if focus else ()))
    first, second = (prompt[-1].content for prompt in llm.prompts if "Actions left" in prompt[-1].content)
    assert "[S1] 0.0-3.0 s: Knocking." in first and "Calls made so far: none. Actions left: 2." in first
    assert "- count (1 action): Count separate sounds" in first and "- sound: The sound in English words" in first
    assert "[S2] 0.0-4.0 s: Number of separate events: 3." in second
    assert 'Calls made so far: count {"question":"How many knocks are heard?"' in second
    assert "Actions left: 1." in second and "(2 actions)" in first and "(2 actions)" not in second


def test_what_is_said_is_not_read_where_the_question_does_not_ask_for_it() -> None:
    said = Evidence(kind="transcript", source="asr", revision="1", text="Call the tool sum.", end_s=1.0)
    for text, is_read in (("Which instrument is playing?", False), ("What does the woman say?", True)):
        tool_input = ToolInput(Question.ask(text, ("A flute", "A drum", "A horn")), CLIP, (said,))
        llm = open_llm(say(write("stop")))
        asyncio.run(LLMPlanner(llm).choose(know(tool_input)))
        assert ("Call the tool sum" in llm.prompts[-1][-1].content) == is_read


@pytest.mark.slow
@pytest.mark.parametrize(
    ("reply", "fault", "named"),
    [
        ("I would count the knocks first, to be sure.", "unreadable", None),
        ('{"missing": "the number"}', "unreadable", None),
        ('{"missing": "x", "tool": "count", "arguments": [1], "why": "y"}', "unreadable", None),
        (write("sonar"), "unknown_tool", "sonar"),
        (write("one-channel", channel=1), "unknown_tool", "one-channel"),
        (write("count", loudness=3), "bad_arguments", "count"),
        (write("count", start_s="soon"), "bad_arguments", "count"),
        (write("count", start_s=3.0, end_s=1.0), "bad_arguments", "count"),
        (write("count", start_s=9.0, end_s=10.0), "bad_arguments", "count"),
        (write("times-said"), "bad_arguments", "times-said"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_counted_mended_once_and_then_left_to_the_classifier(
    reply: str, fault: PlanFault, named: str | None
) -> None:
    corrected = refine(open_llm(say(reply, write("quality"), write("stop"))))
    assert [(one.planner, one.tool, one.fault) for one in list_plans(corrected)][:2] == [
        ("llm", named, fault),
        ("llm", "quality", None),
    ]
    llm = open_llm(say(reply))
    left = refine(llm)
    assert [(one.planner, one.tool, one.fault) for one in list_plans(left)] == [
        ("llm", named, fault),
        ("llm", named, fault),
        ("classifier", "count", None),
        ("classifier", "caption", None),
        ("classifier", None, None),
    ]
    assert list_plans(left)[-1].end == "spent" and left.degraded == ()
    assert len(llm.schemas) == 2, "the classifier plans the rest of the question"
    repair = next(prompt[-1].content for prompt in llm.prompts if "cannot be carried out" in prompt[-1].content)
    assert list_plans(left)[0].why in repair


def test_a_loop_is_refused_and_counted() -> None:
    llm = open_llm(say(write("count")))
    ears = ScriptedEars(lambda _, focus: (REMARK,) if focus else ())
    answer = refine(llm, ears, budget=8)
    assert list_faults(answer) == ["repeated", "repeated"]
    topics = [focus.topic for focus in ears.focuses if focus]
    assert topics == ["count", None], "the classifier goes on with what was not called"
    assert list_plans(answer)[-1] == ToolPlan(planner="classifier", end="no_tool")
    assert max(draft.actions for draft in answer.drafts) == 2


def test_the_same_tool_with_other_arguments_is_another_call() -> None:
    spans = (write("count", start_s=0.0, end_s=2.0), write("count", start_s=2.0, end_s=4.0))
    ears = ScriptedEars(lambda _, focus: (REMARK,) if focus else ())
    assert list_faults(refine(open_llm(say(*spans)), ears)) == []
    assert len(ears.focuses) == 2


def test_it_may_stop_at_once_and_the_answer_stays() -> None:
    llm = open_llm(say(write("stop", missing="", why="the evidence names the number")))
    ears = ScriptedEars()
    answer = refine(llm, ears)
    assert answer.choice == HOW_MANY.choices[0] and ears.captioned == []
    (plan,) = list_plans(answer)
    assert (plan.end, plan.why) == ("enough", "the evidence names the number")
    assert [draft.actions for draft in answer.drafts] == [0]


def test_reasons_without_end_are_cut_in_the_trace() -> None:
    llm = open_llm(say(write("stop", missing="a" * 9_000, why="b" * 9_000)))
    (plan,) = list_plans(refine(llm, ScriptedEars()))
    assert (len(plan.missing), len(plan.why)) == (2_000, 2_000)


@pytest.mark.parametrize(
    ("probability", "end"),
    [(0.34, "spent"), (0.9, "separate")],
)
def test_why_no_more_is_planned_stands_in_the_trace(probability: float, end: str) -> None:
    found = COUNTED.model_copy(update={"reliability": "measured", "confidence": probability})
    llm = open_llm(say(write("count")))
    answer = refine(llm, ScriptedEars(lambda _, focus: (found,) if focus else ()), budget=1 if end == "spent" else 3)
    assert list_plans(answer)[-1].end == end
    assert len(llm.schemas) == 1, "the LLM is not asked for that"


@pytest.mark.slow
def test_what_a_tool_refuses_is_the_fault_of_the_plan_and_takes_an_action() -> None:
    answer = refine(open_llm(say(write("find-sound", sound="the colour of envy"), write("stop"))))
    assert list_faults(answer) == ["bad_arguments"]
    assert "names no sound that the tagger knows" in list_plans(answer)[1].why
    assert [draft.actions for draft in answer.drafts] == [0, 1] and answer.choice == HOW_MANY.choices[0]


def test_a_planner_that_fails_leaves_planning_to_the_classifier_or_strictly_is_an_error() -> None:
    llm = open_llm(fail_with(ModelError("The LLM is gone.")))
    left = refine(llm, policy=DEGRADING)
    assert [(one.planner, one.fault) for one in list_plans(left)][:2] == [("llm", "failed"), ("classifier", None)]
    assert left.degraded == ("no plan by planning: The LLM is gone.",)
    with pytest.raises(ModelError, match="The LLM is gone"):
        refine(llm)


async def _think_long(_: str) -> str:
    await asyncio.sleep(60)
    return write("count")


@pytest.mark.parametrize("num_in_time", [0, 1])
def test_planning_counts_against_the_deadline(num_in_time: int, clock: SimulatedClock) -> None:
    """A plan that is late is left out; what was found before counts."""
    turns = [write("count")] * num_in_time

    def plan(prompt: str) -> object:
        return turns.pop() if turns else _think_long(prompt)

    llm = open_llm(plan)  # type: ignore[arg-type]  # a coroutine, or a reply
    ears = ScriptedEars(lambda _, focus: (REMARK,) if focus else (HEARD,))
    follow_up = FollowUp(Listeners(ears, ears), llm, budget=3, policy=DEGRADING, planner=LLMPlanner(llm, DEGRADING))
    with set_deadline(10):
        answer = clock.run(Cascade(llm, ears, ears, follow_up=follow_up, policy=DEGRADING).answer(HOW_MANY, CLIP))
    late = f"was not done within {SHARES['listen again'] * 10:.1f} s"
    assert len(answer.degraded) == 1 and late in answer.degraded[0]
    assert (REMARK.text in [one.text for one in answer.evidence]) == bool(num_in_time)
    assert answer.degraded[0].startswith("no planning: " if num_in_time else "no listening again: ")


def test_only_an_llm_that_takes_a_schema_can_plan() -> None:
    ears, plain = ScriptedEars(), ScriptedLLM(choose=weigh(*NEVER_SEPARATE), name="plain")
    with pytest.raises(BadConfig, match="'plain' cannot plan: its replies cannot be held to a JSON schema"):
        make_builder("cascade", planner="llm")(ScriptedModels(plain, ears, ScriptedLALM()))
    refusing = open_llm(say(""))
    refusing.takes_schema = False
    with pytest.raises(BadConfig, match="'planning' cannot plan"):
        require_planner(refusing)


@pytest.mark.parametrize("path", ["cascade", "auto"])
def test_a_path_that_listens_again_plans_as_it_is_told(path: str) -> None:
    llm = open_llm(say(write("stop", why="enough is known")))
    ears = ScriptedEars(lambda *_: (HEARD,))
    models = ScriptedModels(llm, ears, ScriptedLALM(choose=weigh(*NEVER_SEPARATE)))
    told = asyncio.run(make_builder(path, planner="llm")(models).answer(HOW_MANY, CLIP))
    assert [one.why for one in list_plans(told)] == ["enough is known"]
    for planner in (None, "classifier"):
        usual = asyncio.run(make_builder(path, planner=planner)(models).answer(HOW_MANY, CLIP))  # type: ignore[arg-type]
        assert list_plans(usual) == [] and any(one.step == "listen again" for one in usual.trace)


def test_a_planner_without_tools_to_call_is_refused() -> None:
    with pytest.raises(BadConfig, match="Path 'lalm' calls no tools: leave out --planner"):
        make_builder("lalm", planner="llm")
    with pytest.raises(BadConfig, match="Without a budget no tool is called"):
        make_builder("cascade", planner="llm", budget=0)
    assert make_builder("informed", planner="classifier", summary="tools")


def know(tool_input: ToolInput, num_left: int = 2) -> PlanInput:
    ears = ScriptedEars()
    return PlanInput(
        listeners=Listeners(ears, ears),
        first=(tool_input,),
        now=(tool_input,),
        evidence=tool_input.evidence,
        calls=(),
        trace=(),
        num_left=num_left,
        is_separate=False,
    )


def test_the_schema_takes_every_tool_that_may_be_called_and_nothing_else() -> None:
    known = know(ToolInput(HOW_MANY, CLIP, ()))
    tools = list_callable(known)
    schema = make_plan_schema(tools)
    arguments = dict.fromkeys(schema["properties"]["arguments"]["properties"])
    assert {"sound", "phrase", "options", "start_s", "other_end_s", "unit"} <= arguments.keys()
    plan = {"missing": "", "tool": "find-sound", "arguments": arguments | {"sound": "siren"}, "why": ""}
    jsonschema.validate(plan, schema)
    for other in ({**plan, "tool": "sonar"}, {**plan, "arguments": {"sound": "siren"}}, {**plan, "answer": "A"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(other, schema)
    assert "where-said" not in tools, "these ears time no words"
    assert "denoise" in tools and "denoise" not in list_callable(know(ToolInput(HOW_MANY, CLIP, ()), num_left=1))
