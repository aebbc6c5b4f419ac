"""Progress notifications of MCP: what a call is at, every few seconds, so that no client takes long work for lost.

Weights that are fetched with the first question take minutes; clients give up after one where nothing comes.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import perf_counter
from typing import TypeAlias

from services.progress import ProgressEvent, StageEnded, StageStarted, report_progress_to

EVERY_S = 2.0

Report: TypeAlias = Callable[[float, None, str | None], Awaitable[None]]
"""Sends how far a call is, of how much, and what it is at; nothing where its client did not ask for that."""


class RunningStages:
    """The stages of one call that have begun and not ended; any thread may note one."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}
        self._advances: dict[int, str] = {}

    def note(self, event: ProgressEvent) -> None:
        """Note that a stage began, came further or ended."""
        if isinstance(event, StageStarted):
            self._names[event.stage] = event.name
        elif isinstance(event, StageEnded):
            self._names.pop(event.stage, None)
        elif event.total:
            self._advances[event.stage] = f", {event.done:.0f} of {event.total:.0f} {event.unit}"

    def word(self) -> str | None:
        """Return what is going on, such as `transcribe, 12 of 30 seconds of audio`; None: no stage runs."""
        running = [name + self._advances.get(stage, "") for stage, name in list(self._names.items())]
        return "; ".join(running) or None


@asynccontextmanager
async def tell_progress(report: Report) -> AsyncIterator[None]:
    """Tell a client every two seconds how long the work of the block takes so far, and what it is at."""
    stages = RunningStages()
    telling = asyncio.create_task(_tell(report, stages))
    try:
        with report_progress_to(stages.note):
            yield
    finally:
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)


async def _tell(report: Report, stages: RunningStages) -> None:
    started = perf_counter()
    while True:
        await asyncio.sleep(EVERY_S)
        await report(round(perf_counter() - started, 1), None, stages.word())
