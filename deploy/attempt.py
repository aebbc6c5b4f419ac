"""Attempts: calls whose error, of any kind, is returned as a value instead of being raised.

A configuration is read and put to use while a service runs; whatever it raises, the service goes on as it was.
"""

import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

from services.errors import EarwitnessError

Result = TypeVar("Result")


class Attempt(NamedTuple, Generic[Result]):
    """What came of an attempt."""

    result: Result | None
    error: str = ""
    """In words, on one line; empty: none."""


def attempt(work: Callable[[], Result]) -> Attempt[Result]:
    """Run work, in a thread of its own; the traceback of an error that is a bug is printed."""
    with ThreadPoolExecutor(1, thread_name_prefix="attempt") as threads:
        done = threads.submit(work)
    error = done.exception()
    if error is None:
        return Attempt(done.result())
    if not isinstance(error, EarwitnessError | RuntimeError):
        traceback.print_exception(error, file=sys.stderr)
    said = " ".join(str(error).split())
    return Attempt(None, said if isinstance(error, EarwitnessError) and said else f"{type(error).__name__}: {said}")
