"""Every row of the policy, with parts that are down and parts that are late; and what is strict stays strict."""

import asyncio
import time
from collections.abc import Collection
from threading import Event

import numpy as np
import pytest

from agents.auto import Auto
from agents.cascade import Cascade
from agents.degradation import DEGRADING, POLICY, SHARES, STRICT, PartName, Policy, find_row, run_in_time
from agents.direct import Direct
from agents.graph import graph
from agents.listening.listening import FollowUp
from agents.listening.tool import Listeners
from agents.routing.router import Reconciled, RouteDecision
from services.cancellation import raise_if_cancelled, run_in_thread
from services.deadline import compute_remaining_s, set_deadline
from services.errors import ModelError, TookTooLong
from services.scripted.clock import SimulatedClock
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.types import Answer, AudioClip, Choice, Focus, Question, Reading, Route

graph.build_agent_graph()  # imported and compiled before any clock runs
CLIP = AudioClip(np.zeros(16_000 * 4, np.float32))
QUESTION = Question.ask("How many knocks are heard?", ("Two", "Three"), id="q1")
BUDGET_S = 1.6  # the ears are late after 0.8 s


class World:
    """Scripted models: each part that is missing fails as told, the others answer; the LLM prefers A, the LALM B."""

    def __init__(self, missing: Collection[PartName], error: Exception | None) -> None:
        self.missing = missing
        self.error = error
        """None: what is missing takes a minute."""
        self.llm = ScriptedLLM(choose=self._read, name="world")
        self.ears = ScriptedEars(self._caption, self._transcribe, name="world")
        self.lalm = ScriptedLALM(choose=self._listen, name="world")

    async def _part(self, part: PartName) -> None:
        if part not in self.missing:
            return
        if self.error:
            raise self.error
        await asyncio.sleep(60)

    async def _caption(self, clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
        await self._part("listening again" if focus else "captioner")
        return ("Focused." if focus else "Knocking.",)

    async def _transcribe(self, clip: AudioClip) -> tuple[str, ...]:
        await self._part("ASR")
        return ("come in",)

    async def _read(self, prompt: str, choices: tuple[Choice, ...]) -> Reading:
        await self._part("LLM")
        return weigh(0.6, 0.4)(choices)

    async def _listen(self, prompt: str, clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:
        await self._part("LALM")
        return weigh(0.45, 0.55)(choices)

    def cascade(self, policy: Policy, *, follow_up: FollowUp | None = None) -> Cascade:
        return Cascade(self.llm, self.ears, self.ears, follow_up=follow_up, policy=policy)


class Always:
    """Goes one way, and believes the LLM."""

    def __init__(self, way: Route) -> None:
        self.way = way

    def route(self, question: Question) -> RouteDecision:
        return RouteDecision(self.way, "always")

    def reconcile(self, question: Question, cascade: Answer, lalm: Answer) -> Reconciled:
        return Reconciled(cascade.probabilities, 0.5, "the LLM is believed")

    def calibrate(self, answer: Answer) -> Answer:
        return answer


def answer(
    way: Route,
    *missing: PartName,
    error: Exception | None = None,
    policy: Policy = DEGRADING,
    follows_up: bool = False,
    clock: SimulatedClock | None = None,
) -> Answer:
    world = World(missing, error)
    ears = Listeners(world.ears, world.ears)
    follow_up = FollowUp(ears, world.llm, budget=1, policy=policy) if follows_up else None
    cascade = world.cascade(policy, follow_up=follow_up)
    with set_deadline(None if error else BUDGET_S):
        return (clock.run if clock else asyncio.run)(
            Auto(cascade, Direct(world.lalm), Always(way)).answer(QUESTION, CLIP)
        )


ROWS: tuple[tuple[tuple[PartName, ...], str, tuple[str, ...], str], ...] = (
    (("captioner",), "A", ("come in",), "the transcript"),
    (("ASR",), "A", ("Knocking.",), "the captions"),
    (("captioner", "ASR"), "B", (), "the LALM"),
    (("LLM",), "B", (), "the LALM"),
    (("LALM",), "A", ("Knocking.", "come in"), "the cascade"),
)
EACH_ROW = pytest.mark.parametrize(("missing", "letter", "heard", "rests_on"), ROWS, ids=[row[-1] for row in ROWS])


@EACH_ROW
@pytest.mark.parametrize("goes", ["first", "both"])
def test_what_is_down_is_done_without(
    goes: str, missing: tuple[PartName, ...], letter: str, heard: tuple[str, ...], rests_on: str
) -> None:
    way: Route = "both" if goes == "both" else "lalm" if "LALM" in missing else "cascade"
    found = answer(way, *missing, error=ModelError("It is gone."))
    assert found.choice and found.choice.letter == letter
    assert [one.text for one in found.evidence if one.kind != "reply"] == list(heard)
    assert set(found.degraded) == {f"no {part}: It is gone." for part in missing}
    assert [one.text for one in found.trace if one.step == "degraded"] == [f"the answer rests on {rests_on}"]


@pytest.mark.parametrize("way", ["cascade", "lalm", "both"])
@pytest.mark.parametrize(
    ("missing", "rests_on"),
    [*((row[0], row[-1]) for row in ROWS), (("captioner", "LALM"), "the transcript"), (("LLM", "ASR"), "the LALM")],
)
def test_what_the_answer_rests_on_is_said_once(way: Route, missing: tuple[PartName, ...], rests_on: str) -> None:
    trace = answer(way, *missing, error=ModelError("It is gone.")).trace
    said = [one.text for one in trace if one.step == "degraded"]
    is_unasked = {"cascade": set(missing) == {"LALM"}, "lalm": "LALM" not in missing, "both": False}[way]
    assert said == ([] if is_unasked else [f"the answer rests on {rests_on}"])


@EACH_ROW
def test_what_is_late_is_done_without(
    clock: SimulatedClock, missing: tuple[PartName, ...], letter: str, heard: tuple[str, ...], rests_on: str
) -> None:
    found = answer("both", *missing, clock=clock)
    assert clock.time() < BUDGET_S
    assert found.choice and found.choice.letter == letter
    assert [one.text for one in found.evidence if one.kind != "reply"] == list(heard)
    assert len(found.degraded) == len(missing)
    assert all("was not done within" in one for one in found.degraded)
    assert [one.text for one in found.trace if one.step == "degraded"] == [f"the answer rests on {rests_on}"]


def test_what_is_late_stops_working(monkeypatch: pytest.MonkeyPatch) -> None:
    num_steps, ended = 0, Event()

    def describe() -> tuple[str, ...]:
        nonlocal num_steps
        try:
            for _ in range(1000):  # 20 s, were it not stopped
                raise_if_cancelled()
                time.sleep(0.02)
                num_steps += 1
        finally:
            ended.set()
        return ()

    async def caption(world: World, clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
        return await run_in_thread(describe)

    monkeypatch.setattr(World, "_caption", caption)
    found = answer("cascade")
    assert found.degraded and "'caption' was not done within" in found.degraded[0]
    assert ended.wait(60)  # generous; the steps are counted
    assert num_steps < 200


@pytest.mark.parametrize("error", [ModelError("It is gone."), None], ids=["down", "late"])
def test_a_follow_up_that_fails_leaves_the_answer_as_it_was(error: Exception | None, clock: SimulatedClock) -> None:
    found = answer("both", "listening again", error=error, follows_up=True, clock=clock)
    assert found.choice and found.choice.letter == "A"
    assert [one.text for one in found.evidence if one.kind != "reply"] == ["Knocking.", "come in"]
    assert len(found.degraded) == 1
    whole = answer("both", error=ModelError("unused"), follows_up=True)
    assert [one.text for one in whole.evidence if one.kind != "reply"] == ["Knocking.", "come in", "Focused."]
    assert whole.degraded == ()


class SlowAfterwards(World):
    """Listens for something at once the first time, and takes a minute from then on."""

    async def _caption(self, clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
        if focus and focus.topic is None:
            await asyncio.sleep(60)
        return ("Number of separate events: 3.",) if focus else ("Knocking.",)


def test_a_tool_that_is_late_leaves_what_was_found_before(clock: SimulatedClock) -> None:
    world = SlowAfterwards((), None)
    follow_up = FollowUp(Listeners(world.ears, world.ears), world.llm, budget=2, policy=DEGRADING)
    with set_deadline(BUDGET_S):
        found = clock.run(world.cascade(DEGRADING, follow_up=follow_up).answer(QUESTION, CLIP))
    assert "Number of separate events: 3." in [one.text for one in found.evidence]
    late = (
        f"The step 'listen again' was not done within {SHARES['listen again'] * BUDGET_S:.1f} s, its share of the time."
    )
    assert found.degraded == (f"no caption: {late}",)
    assert [one.text for one in found.trace][-1] == f"caption left out ({late})"
    assert found.timings_s["listen again"] <= SHARES["listen again"] * BUDGET_S + 0.01


def test_strictly_a_tool_that_is_late_is_an_error(clock: SimulatedClock) -> None:
    world = SlowAfterwards((), None)
    strict = world.cascade(STRICT, follow_up=FollowUp(Listeners(world.ears, world.ears), world.llm, budget=2))
    with set_deadline(BUDGET_S), pytest.raises(TookTooLong, match="'listen again' was not done"):
        clock.run(strict.answer(QUESTION, CLIP))


@pytest.mark.parametrize("missing", [("LLM", "LALM"), ("captioner", "ASR", "LALM")])
@pytest.mark.parametrize("way", ["cascade", "lalm", "both"])
def test_when_all_are_down_nobody_answers(way: Route, missing: tuple[PartName, ...]) -> None:
    with pytest.raises(ModelError) as raised:
        answer(way, *missing, error=ModelError("It is gone."))
    assert all(f"no {part}: It is gone." in str(raised.value) for part in missing)


def test_when_all_are_late_the_deadline_is_to_blame(clock: SimulatedClock) -> None:
    with pytest.raises(TookTooLong, match=r"no LALM: The step 'listen' was not done within 1\.\d s"):
        answer("both", "LLM", "LALM", clock=clock)


@pytest.mark.parametrize("part", ["captioner", "ASR", "LLM", "LALM", "listening again"])
def test_a_bug_keeps_its_traceback(part: PartName) -> None:
    with pytest.raises(ZeroDivisionError):
        answer("both", part, error=ZeroDivisionError("a bug"), follows_up=True)


@pytest.mark.parametrize("part", ["captioner", "ASR", "LLM", "LALM", "listening again"])
def test_strictly_nothing_may_be_missing(part: PartName) -> None:
    error = ModelError("It is gone.")
    with pytest.raises(ModelError) as raised:
        answer("both", part, error=error, policy=STRICT, follows_up=True)
    assert raised.value is error


def test_strictly_a_late_part_is_an_error(clock: SimulatedClock) -> None:
    with pytest.raises(TookTooLong, match=r"The step 'caption' was not done within 0\.8 s"):
        answer("both", "captioner", policy=STRICT, clock=clock)


def test_the_cascade_by_itself_has_no_lalm_to_stand_in() -> None:
    for missing, message in ((("LLM",), r"^Gone\.$"), (("captioner", "ASR"), r"no captioner: Gone\.; no ASR: Gone\.")):
        world = World(missing, ModelError("Gone."))
        with pytest.raises(ModelError, match=message):
            asyncio.run(world.cascade(DEGRADING).answer(QUESTION, CLIP))
    world = World(("ASR",), ModelError("Gone."))
    found = asyncio.run(world.cascade(DEGRADING).answer(QUESTION, CLIP))
    assert (found.path, found.degraded, found.choice) == ("cascade", ("no ASR: Gone.",), Choice(letter="A", text="Two"))
    assert list(map(str, found.trace[-2:])) == ["degraded: the answer rests on the captions", "read: world"]


def test_a_slow_captioner_leaves_the_llm_its_time(clock: SimulatedClock) -> None:
    found = answer("cascade", "captioner", clock=clock)
    assert found.timings_s["caption"] == pytest.approx(SHARES["caption"] * BUDGET_S)
    assert found.choice


def test_every_row_of_the_policy_is_tested() -> None:
    tested = {frozenset(row[0]) for row in ROWS} | {frozenset({"listening again"})}
    tested |= {frozenset({"LLM", "LALM"}), frozenset({"captioner", "ASR", "LALM"})}
    assert {row.missing for row in POLICY} == tested
    assert find_row(()) is None


def test_a_step_has_its_share_of_what_is_left(clock: SimulatedClock) -> None:
    async def work() -> None:
        assert compute_remaining_s() is None
        assert await run_in_time("read", asyncio.sleep(0.01, "done")) == "done"
        with set_deadline(0.2):
            await asyncio.sleep(0.1)
            started = clock.time()
            with pytest.raises(TookTooLong):
                await run_in_time("caption", asyncio.sleep(5))
            assert clock.time() - started == pytest.approx(SHARES["caption"] * 0.1)
        assert compute_remaining_s() is None

    clock.run(work())


async def test_a_timeout_of_the_model_itself_is_not_a_deadline() -> None:
    async def times_out() -> None:
        raise TimeoutError("its own")

    with set_deadline(5), pytest.raises(TimeoutError, match="its own"):
        await run_in_time("read", times_out())
