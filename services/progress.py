"""Progress reporting: stages of long work as typed events, for the edge that listens; where none does, nothing happens.

Work that may take seconds is a stage, which says how far it is where it knows:

    with report_stage("transcribe", total=clip.duration_s, unit="seconds of audio") as running:
        for segment in segments:
            running.advance_to(segment.end)

Work further in reaches the innermost stage with `get_stage()`, also in a task, and in a thread started with
`services.cancellation.run_in_thread`. The edge, such as a command with a terminal, listens with `report_progress_to`.
Processes do not hear each other: the work of a replica of the service is not counted here.
"""

from asyncio import CancelledError
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from threading import Lock
from time import perf_counter
from typing import Literal, NamedTuple, TypeAlias

Unit: TypeAlias = Literal["seconds of audio", "bytes", "clips", "models", "parts", "replies", "steps"]
"""What `done` and `total` of a stage count."""
StageOutcome: TypeAlias = Literal["done", "failed", "cancelled"]


class StageStarted(NamedTuple):
    """A stage began."""

    stage: int
    """Number of the stage in this process; several may run at once."""
    name: str
    """What is done, as a user reads it."""
    total: float | None
    """None: how much there is to do is not known."""
    unit: Unit


class StageAdvanced(NamedTuple):
    """A stage came further, or learnt how much there is to do."""

    stage: int
    done: float
    total: float | None
    unit: Unit


class StageEnded(NamedTuple):
    """A stage ended."""

    stage: int
    name: str
    seconds: float
    outcome: StageOutcome


ProgressEvent: TypeAlias = StageStarted | StageAdvanced | StageEnded
ProgressListener: TypeAlias = Callable[[ProgressEvent], None]
"""Takes each event as it happens, from any thread, and returns at once."""

_numbers = count(1)


class Stage:
    """A running stage; any thread may move it on. What comes after its end is dropped."""

    def __init__(self, listeners: tuple[ProgressListener, ...], name: str, total: float | None, unit: Unit) -> None:
        self._listeners, self._number, self._name = listeners, next(_numbers), name
        self._done, self._total, self._unit = 0.0, total, unit
        self._started, self._lock = perf_counter(), Lock()
        self._tell(StageStarted(self._number, name, total, unit))

    def expect(self, total: float, unit: Unit) -> None:
        """Say how much there is to do, where that is known only now."""
        self._total, self._unit = total, unit
        self.advance(0)

    def advance(self, by: float = 1) -> None:
        """Count what was done since the last time."""
        with self._lock:
            self._done += by
            self._tell(StageAdvanced(self._number, self._done, self._total, self._unit))

    def advance_to(self, done: float) -> None:
        """Say how much is done in all; it never goes back."""
        with self._lock:
            self._done = max(self._done, done)
            self._tell(StageAdvanced(self._number, self._done, self._total, self._unit))

    def end(self, outcome: StageOutcome) -> None:
        """End the stage; `stage` does it for its block."""
        with self._lock:
            self._tell(StageEnded(self._number, self._name, perf_counter() - self._started, outcome))
            self._listeners = ()

    def _tell(self, event: ProgressEvent) -> None:
        for listen in self._listeners:
            listen(event)


_listeners: ContextVar[tuple[ProgressListener, ...]] = ContextVar("earwitness_progress_listeners", default=())
_stage: ContextVar[Stage | None] = ContextVar("earwitness_progress_stage", default=None)


@contextmanager
def report_progress_to(listener: ProgressListener) -> Iterator[None]:
    """Pass the progress of all work of the block to a listener, beside those that listen already."""
    token = _listeners.set((*_listeners.get(), listener))
    try:
        yield
    finally:
        _listeners.reset(token)


@contextmanager
def report_stage(name: str, total: float | None = None, unit: Unit = "steps") -> Iterator[Stage]:
    """Run the block as a stage; an error ends it as failed, a cancellation as cancelled, and passes through."""
    running = Stage(_listeners.get(), name, total, unit)
    token = _stage.set(running)
    outcome: StageOutcome = "failed"
    try:
        yield running
        outcome = "done"
    except (CancelledError, KeyboardInterrupt):
        outcome = "cancelled"
        raise
    finally:
        _stage.reset(token)
        running.end(outcome)


def get_stage() -> Stage:
    """Return the innermost stage that this work belongs to; outside of all stages, one that nobody hears of."""
    return _stage.get() or Stage((), "", None, "steps")
