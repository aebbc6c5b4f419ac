"""Deadlines and time limits."""

import asyncio

import pytest

from services.deadline import compute_remaining_s, extend_deadline, hold_to_deadline, limit_time, set_deadline
from services.errors import TookTooLong
from services.scripted.clock import SimulatedClock


def test_the_deadline_holds_inside_its_block_only() -> None:
    assert compute_remaining_s() is None
    with set_deadline(10.0):
        left_s = compute_remaining_s()
        assert left_s is not None
        assert 9.0 < left_s <= 10.0
        with set_deadline(0.0):
            assert compute_remaining_s() == 0.0
        with set_deadline(None):
            assert compute_remaining_s() is None
    assert compute_remaining_s() is None


async def test_a_late_block_is_cancelled_and_named() -> None:
    with pytest.raises(TookTooLong, match="Too slow"):
        async with limit_time(0.0, "Too slow."):
            await asyncio.sleep(10)


async def test_a_timeout_of_the_block_itself_passes_through() -> None:
    async def fail() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        async with limit_time(10.0, "Too slow."):
            await fail()


async def test_what_times_out_within_a_held_block_is_not_the_block_s_deadline() -> None:
    with pytest.raises(TimeoutError, match="of its own"):
        async with hold_to_deadline(10.0, "Not within {seconds:g} s."):
            raise TimeoutError("of its own")


async def test_no_limit_never_ends_the_block() -> None:
    async with limit_time(None, "Too slow."):
        await asyncio.sleep(0)


def test_a_deadline_that_is_extended_holds_later_and_says_how_long_it_was() -> None:
    clock = SimulatedClock()

    async def work(seconds: float) -> float:
        async with hold_to_deadline(5.0, "Not within {seconds:g} s."):
            await asyncio.create_task(extend())
            await asyncio.sleep(seconds)
        return clock.now_s

    async def extend() -> None:  # in a task of its own, as the work of a request is
        extend_deadline(30.0)

    assert clock.run(work(34.0)) == 34.0
    clock = SimulatedClock()
    with pytest.raises(TookTooLong, match=r"Not within 35 s\."):
        clock.run(work(36.0))
    extend_deadline(1.0)
    assert compute_remaining_s() is None


async def test_the_time_left_grows_with_the_deadline() -> None:
    async with hold_to_deadline(5.0, ""):
        extend_deadline(30.0)
        left_s = compute_remaining_s()
    assert left_s is not None
    assert 34.0 < left_s <= 35.0
