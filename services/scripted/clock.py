"""Simulated clock: an asyncio event loop whose time jumps to the next timer, for tests of timeouts and deadlines."""

import asyncio
from collections.abc import Coroutine
from selectors import DefaultSelector, SelectorKey
from typing import Any, TypeVar

T = TypeVar("T")


class SimulatedClock(DefaultSelector):
    """A clock in seconds, and the selector that moves it: where only timers are waited for, it goes to the next one.

    Work in threads takes no simulated time: a timer that runs beside it ends first.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """Poll without waiting; where nothing happened, advance the clock by the timeout instead."""
        if timeout is None:
            return super().select(None)
        events = super().select(0)
        if not events:
            self.now_s += max(0.0, timeout)
        return events

    def time(self) -> float:
        """Return the seconds since the clock was made, as `time.monotonic` does since the machine started."""
        return self.now_s

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end on this clock, as `asyncio.run` does on the real one; once per clock."""
        with asyncio.Runner(loop_factory=lambda: _SimulatedLoop(self)) as runner:
            return runner.run(work)


class _SimulatedLoop(asyncio.SelectorEventLoop):
    def __init__(self, clock: SimulatedClock) -> None:
        self._clock = clock
        super().__init__(clock)

    def time(self) -> float:
        """Return the simulated time in seconds."""
        return self._clock.time()
