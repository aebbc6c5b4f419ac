import asyncio
from time import perf_counter

import pytest

from services.scripted.clock import SimulatedClock


async def sleep_for_hours(clock: SimulatedClock) -> float:
    await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(7200))
    return clock.time()


def test_hours_pass_at_once_and_side_by_side() -> None:
    clock, started = SimulatedClock(), perf_counter()
    assert clock.run(sleep_for_hours(clock)) == pytest.approx(7200)
    assert perf_counter() - started < 60


def test_what_is_late_is_cancelled_on_time() -> None:
    clock = SimulatedClock()
    with pytest.raises(TimeoutError):
        clock.run(asyncio.wait_for(asyncio.Event().wait(), 5))
    assert clock.time() == pytest.approx(5)
