"""What is heard of a long recording part by part, and what is left out."""

import asyncio

import numpy as np
import pytest

from services.deadline import TimeBudget
from services.errors import ModelError, TookTooLong
from services.longform.hearing import HeardParts, hear_parts
from services.longform.split import ClipPart
from services.progress import ProgressEvent, StageAdvanced, report_progress_to, report_stage
from services.scripted.clock import SimulatedClock
from services.types import SAMPLE_RATE, AudioClip, Evidence

MINUTES = tuple(
    ClipPart(60.0 * n, 60.0 * n + 60.0, AudioClip(np.full(60 * SAMPLE_RATE, n / 100, np.float32))) for n in range(4)
)


def number(clip: AudioClip) -> int:
    return round(float(clip.samples[0]) * 100)


def said(text: str, kind: str = "transcript", language: str | None = None, confidence: float = 0.5) -> Evidence:
    record = {"kind": kind, "source": "test", "revision": "1", "text": text, "start_s": 1.0, "end_s": 2.5}
    return Evidence.model_validate(record | {"language": language, "confidence": confidence})


async def hear(clip: AudioClip) -> tuple[Evidence, ...]:
    return (said(f"part {number(clip)}"), said("A bell at 1.0 s.", "event"))


async def test_statements_have_their_times_in_the_whole() -> None:
    heard = await hear_parts(MINUTES, hear)
    assert [(one.text, one.start_s, one.end_s) for one in heard.statements if one.kind == "transcript"] == [
        (f"part {n}", 60.0 * n + 1.0, 60.0 * n + 2.5) for n in range(4)
    ]
    assert heard.statements[3].text == "1:00-2:00 (0 s is 1:00): A bell at 1.0 s."
    assert (heard.num_heard, heard.left_out) == (4, ())


async def test_a_part_alone_says_what_it_says() -> None:
    assert (await hear_parts(MINUTES[:1], hear)).statements == await hear(MINUTES[0].clip)


async def test_a_language_is_told_once_for_as_long_as_it_stays() -> None:
    async def tell(clip: AudioClip) -> tuple[Evidence, ...]:
        code = "de" if number(clip) == 3 else "en"
        return (said(f"Language: {code}.", "language", code, 0.9 - abs(number(clip) - 1) / 10),)

    heard = (await hear_parts(MINUTES, tell)).statements
    assert [(one.language, one.start_s, one.end_s, one.confidence) for one in heard] == [
        ("en", 1.0, 122.5, 0.9),
        ("de", 181.0, 182.5, 0.7),
    ]


async def test_parts_heard_in_another_order_are_told_in_theirs() -> None:
    heard = await hear_parts((MINUTES[2], MINUTES[0], MINUTES[1]), hear)
    assert [one.start_s for one in heard.statements] == sorted(one.start_s for one in heard.statements)


def hear_in_time(seconds: float) -> HeardParts:
    async def take_long(clip: AudioClip) -> tuple[Evidence, ...]:
        await asyncio.sleep(10)
        return await hear(clip)

    budget = TimeBudget(seconds, "Too late.")
    return SimulatedClock().run(hear_parts(MINUTES, take_long, budget=budget, tolerates=(TookTooLong,)))


def test_what_is_late_is_left_out_and_named() -> None:
    heard = hear_in_time(25.0)
    assert heard.num_heard == 2
    assert [str(one) for one in heard.left_out] == ["from 2:00 to 4:00: Too late."]
    assert {one.start_s for one in heard.statements} == {1.0, 61.0}


def test_where_nothing_was_heard_in_time_the_error_is_raised() -> None:
    with pytest.raises(TookTooLong, match="Too late"):
        hear_in_time(5.0)


async def test_a_part_that_fails_is_left_out_and_the_next_is_heard() -> None:
    async def fail(clip: AudioClip) -> tuple[Evidence, ...]:
        if number(clip) == 1:
            raise ModelError("Out of order.")
        return await hear(clip)

    heard = await hear_parts(MINUTES, fail, tolerates=(ModelError,))
    assert (heard.num_heard, [str(one) for one in heard.left_out]) == (3, ["from 1:00 to 2:00: Out of order."])
    with pytest.raises(ModelError):
        await hear_parts(MINUTES, fail)


async def test_a_model_that_is_down_is_not_asked_for_every_part() -> None:
    asked: list[int] = []

    async def fail(clip: AudioClip) -> tuple[Evidence, ...]:
        asked.append(number(clip))
        if number(clip):
            raise ModelError("Down.")
        return await hear(clip)

    heard = await hear_parts(MINUTES, fail, tolerates=(ModelError,))
    assert (asked, [str(one) for one in heard.left_out]) == ([0, 1, 2], ["from 1:00 to 4:00: Down."])


async def test_the_progress_is_told_in_seconds_of_audio() -> None:
    events: list[ProgressEvent] = []
    with report_progress_to(events.append), report_stage("transcribe", 240.0, "seconds of audio"):
        await hear_parts(MINUTES, hear)
    assert [one.done for one in events if isinstance(one, StageAdvanced)] == [60.0, 120.0, 180.0, 240.0]
