"""Work under way is shared by all who ask for it, and stops with the last of them."""

import asyncio

import pytest

from services.cache.single_flight import SingleFlight
from services.errors import ModelError


async def test_what_is_under_way_is_shared_and_what_is_done_is_done_again() -> None:
    flights, made = SingleFlight[int](), list[int]()

    async def make() -> int:
        await asyncio.sleep(0)
        made.append(len(made))
        return made[-1]

    assert await asyncio.gather(*(flights.run("a", make) for _ in range(3)), flights.run("b", make)) == [0, 0, 0, 1]
    assert "a" not in flights
    assert await flights.run("a", make) == 2


async def test_a_failure_is_everybodys() -> None:
    flights = SingleFlight[int]()

    async def fail() -> int:
        await asyncio.sleep(0)
        raise ModelError("out of order")

    results = await asyncio.gather(*(flights.run("a", fail) for _ in range(2)), return_exceptions=True)
    assert [str(one) for one in results] == ["out of order"] * 2


async def test_work_goes_on_for_who_still_waits_and_stops_with_the_last() -> None:
    flights, events = SingleFlight[None](), list[str]()

    async def work() -> None:
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            events.append("cancelled")
            raise

    first, last = (asyncio.create_task(flights.run("a", work)) for _ in range(2))
    await asyncio.sleep(0.01)
    first.cancel()
    await asyncio.sleep(0.01)
    assert (events, "a" in flights) == ([], True)
    last.cancel()
    with pytest.raises(asyncio.CancelledError):
        await last
    await asyncio.sleep(0.01)
    assert (events, "a" in flights) == (["cancelled"], False)
