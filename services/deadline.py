"""Deadline of a request: one time budget that all of its work sees, and time limits (timeouts) for parts of it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from time import monotonic

from services.errors import TookTooLong

_END: ContextVar[float | None] = ContextVar("deadline", default=None)
"""The deadline, on the monotonic clock in seconds; None: there is none."""


@contextmanager
def set_deadline(seconds: float | None) -> Iterator[None]:
    """Give the work of the block so many seconds from now; None: all the time it takes."""
    token = _END.set(None if seconds is None else monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(token)


def remaining_s() -> float | None:
    """Return the seconds until the deadline, 0 after it; None where there is no deadline."""
    end = _END.get()
    return None if end is None else max(0.0, end - monotonic())


@asynccontextmanager
async def time_limit(seconds: float | None, message: str) -> AsyncIterator[None]:
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
