"""A clock on which deadlines pass at once and to the digit."""

import pytest

from services.scripted.clock import SimulatedClock


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimulatedClock:
    """Return a clock that deadlines and the timings of steps are read from; `clock.run` runs one coroutine on it."""
    clock = SimulatedClock()
    monkeypatch.setattr("services.deadline.monotonic", clock.time)
    monkeypatch.setattr("agents.graph.steps.perf_counter", clock.time)
    return clock
