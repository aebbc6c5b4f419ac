"""Attempts: an error of any kind is words, and only a bug prints its traceback."""

import sys

import pytest

from deploy.attempt import attempt
from services.errors import BadConfig


def fail(error: BaseException) -> None:
    raise error


def test_what_work_returns_is_its_result() -> None:
    assert attempt("it", lambda: 3) == (3, "")


@pytest.mark.parametrize(
    ("error", "said", "is_bug"),
    [
        (BadConfig("Two\nlines."), "Two lines.", False),
        (RuntimeError("Deploying failed."), "RuntimeError: Deploying failed.", False),
        (ValueError("odd"), "ValueError: odd", True),
        (SystemExit(3), "SystemExit: 3", True),
    ],
)
def test_what_it_raises_is_words(
    error: BaseException, said: str, is_bug: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert attempt("it", lambda: fail(error)) == (None, said)
    assert ("Traceback" in capsys.readouterr().err) == is_bug


def test_endless_nesting_ends_nothing() -> None:
    def nest() -> None:
        nest()

    assert attempt("it", nest).error.startswith("RecursionError: ")
    assert sys.getrecursionlimit() > 0
