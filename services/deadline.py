"""Deadline of a request: one time budget that all of its work sees, and time limits (timeouts) for parts of it.

Unless it is set, the deadline of a request to the service grows with the recording: `BASE_S`, and once it is known how
long the recording is, that long again.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from time import monotonic
from typing import NamedTuple

from services.errors import TookTooLong

BASE_S = 600.0


class TimeBudget(NamedTuple):
    """Time for some work, as `time_limit` takes it."""

    seconds: float
    message: str
    """Of the error where it is spent."""


@dataclass(slots=True)
class _Deadline:
    """A deadline, which may be moved."""

    end: float | None
    """On the monotonic clock, seconds; None: never."""
    extra_s: float = 0.0
    """By how much it was moved."""
    timeout: asyncio.Timeout | None = None
    """What cancels the work."""


_CURRENT: ContextVar[_Deadline | None] = ContextVar("deadline", default=None)


@contextmanager
def set_deadline(seconds: float | None) -> Iterator[_Deadline]:
    """Give the work of the block so many seconds from now; None: all the time it takes."""
    deadline = _Deadline(None if seconds is None else monotonic() + seconds)
    token = _CURRENT.set(deadline)
    try:
        yield deadline
    finally:
        _CURRENT.reset(token)


@asynccontextmanager
async def hold_to_deadline(seconds: float, message: str) -> AsyncIterator[None]:
    """Set the deadline of the block, and cancel the block at it; `message` has `{seconds:g}` for how long that was."""
    with set_deadline(seconds) as deadline:
        try:
            async with asyncio.timeout(seconds) as deadline.timeout:
                yield
        except TimeoutError:
            if deadline.timeout is None or not deadline.timeout.expired():
                raise
            raise TookTooLong(message.format(seconds=seconds + deadline.extra_s)) from None


def extend_deadline(seconds: float) -> None:
    """Move the deadline of the work that asks for it; without a deadline nothing happens."""
    deadline = _CURRENT.get()
    if deadline is None or deadline.end is None:
        return
    deadline.end += seconds
    deadline.extra_s += seconds
    timeout = deadline.timeout
    if timeout is not None and not timeout.expired() and (when := timeout.when()) is not None:
        timeout.reschedule(when + seconds)


def compute_remaining_s() -> float | None:
    """Return the seconds until the deadline, 0 after it; None where there is no deadline."""
    deadline = _CURRENT.get()
    return None if deadline is None or deadline.end is None else max(0.0, deadline.end - monotonic())


@asynccontextmanager
async def limit_time(seconds: float | None, message: str) -> AsyncIterator[None]:
    """Cancel the block after so many seconds (None: never), and raise `TookTooLong` with the message.

    A `TimeoutError` that the block raises by itself passes through.
    """
    try:
        async with asyncio.timeout(seconds) as timeout:
            yield
    except TimeoutError:
        if not timeout.expired():
            raise
        raise TookTooLong(message) from None
