"""Progress: what a listener hears of stages, across tasks and threads."""

import asyncio

import pytest

from services.cancellation import run_in_thread
from services.progress import (
    ProgressEvent,
    StageAdvanced,
    StageEnded,
    StageStarted,
    get_stage,
    report_progress_to,
    report_stage,
)


def test_a_stage_is_heard_from_its_start_to_its_end() -> None:
    heard: list[ProgressEvent] = []
    with report_progress_to(heard.append), report_stage("transcribe", total=60, unit="seconds of audio") as running:
        running.advance_to(25.0)
        running.advance_to(20.0)
        running.advance(5)
    started, first, second, third, ended = heard
    assert isinstance(started, StageStarted)
    assert started[1:] == ("transcribe", 60, "seconds of audio")
    assert [one.done for one in (first, second, third) if isinstance(one, StageAdvanced)] == [25.0, 25.0, 30.0]
    assert isinstance(ended, StageEnded)
    assert (ended.stage, ended.name, ended.outcome) == (started.stage, "transcribe", "done")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(ValueError, "failed"), (asyncio.CancelledError, "cancelled"), (KeyboardInterrupt, "cancelled")],
)
def test_a_stage_that_does_not_get_through_says_so(error: type[BaseException], outcome: str) -> None:
    heard: list[ProgressEvent] = []
    with pytest.raises(error), report_progress_to(heard.append), report_stage("read"):
        raise error
    assert isinstance(heard[-1], StageEnded)
    assert heard[-1].outcome == outcome


async def test_a_thread_reaches_the_stage_of_the_task_that_waits_for_it() -> None:
    heard: list[ProgressEvent] = []

    def work() -> None:
        get_stage().expect(2, "parts")
        get_stage().advance()

    async def perceive(name: str) -> None:
        with report_stage(name):
            await run_in_thread(work)

    with report_progress_to(heard.append):
        await asyncio.gather(perceive("caption"), perceive("transcribe"))
    names = {one.stage: one.name for one in heard if isinstance(one, StageStarted)}
    last = {names[one.stage]: one[1:] for one in heard if isinstance(one, StageAdvanced)}
    assert last == {"caption": (1, 2, "parts"), "transcribe": (1, 2, "parts")}


def test_what_comes_after_the_end_or_outside_of_stages_is_not_heard() -> None:
    heard: list[ProgressEvent] = []
    with report_progress_to(heard.append):
        with report_stage("read") as ended:
            pass
        num_heard = len(heard)
        ended.advance()
        get_stage().advance()
    with report_stage("read"):
        get_stage().advance()
    assert len(heard) == num_heard
