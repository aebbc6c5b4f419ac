"""Attempts: calls whose error, of any kind, is returned as a value instead of being raised.

A configuration is read and put to use while a service runs; whatever it raises, the service goes on as it was.
"""

import sys
import traceback
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from services.errors import EarwitnessError, InternalError
from services.extensions.error_boundary import contain_errors

Result = TypeVar("Result")


class Attempt(NamedTuple, Generic[Result]):
    """What came of an attempt."""

    result: Result | None
    error: str = ""
    """In words, on one line; empty: none."""


def attempt(what: str, work: Callable[[], Result]) -> Attempt[Result]:
    """Run work, named `what`; the traceback of an error that is a bug is printed."""
    try:
        with contain_errors(what, InternalError):
            return Attempt(work())
    except InternalError as error:
        cause = error.__cause__
        assert cause is not None, "the boundary names it"
        if not isinstance(cause, RuntimeError):
            traceback.print_exception(cause, file=sys.stderr)
        return Attempt(None, f"{type(cause).__name__}: {_join_lines(cause)}")
    except EarwitnessError as error:
        return Attempt(None, _join_lines(error) or type(error).__name__)


def _join_lines(error: BaseException) -> str:
    """Return the words of an error on one line."""
    return " ".join(str(error).split())
