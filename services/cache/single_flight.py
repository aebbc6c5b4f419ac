"""Single flight: callers who ask for the same thing while it is being made share the work.

The work stops when all of them are cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Made = TypeVar("Made")


@dataclass(slots=True)
class _Flight(Generic[Made]):
    """Work in progress, and how many callers wait for it."""

    task: "asyncio.Task[Made]"
    num_waiting: int = 0


class SingleFlight(Generic[Made]):
    """Work in progress, by name."""

    def __init__(self) -> None:
        self._flights: dict[str, _Flight[Made]] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._flights

    async def run(self, name: str, make: Callable[[], Awaitable[Made]]) -> Made:
        """Return what `make` returns, or what the work of that name in progress does; what it raises, all raise."""
        flight = self._flights.get(name)
        if flight is None:
            flight = self._flights[name] = _Flight(asyncio.ensure_future(make()))
            flight.task.add_done_callback(lambda task: self._remove(name, task))
        flight.num_waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.num_waiting -= 1
            if not flight.num_waiting and not flight.task.done():
                self._remove(name, flight.task)  # a later caller starts again
                flight.task.cancel()

    def _remove(self, name: str, task: "asyncio.Task[Made]") -> None:
        if name in self._flights and self._flights[name].task is task:
            del self._flights[name]
