"""How long a question may take: one budget of seconds per request, seen by all that works on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

_END: ContextVar[float | None] = ContextVar("deadline", default=None)
"""When the budget is spent, on the monotonic clock in seconds; None: never."""


@contextmanager
def set_deadline(seconds: float | None) -> Iterator[None]:
    """Give what is asked inside so many seconds from now; None: all the time it takes."""
    token = _END.set(None if seconds is None else monotonic() + seconds)
    try:
        yield
    finally:
        _END.reset(token)


def remaining_s() -> float | None:
    """Return the seconds that are left, 0 where they are spent; None where there is no deadline."""
    end = _END.get()
    return None if end is None else max(0.0, end - monotonic())
