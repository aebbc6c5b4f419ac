"""What crosses the error boundary is one error of the kind asked for, and our own errors pass."""

import asyncio

import pytest

from services.errors import BadAudio, BadConfig, InternalError, ModelError
from services.extensions.error_boundary import contain_errors


@pytest.mark.parametrize("error", [KeyError("bell"), SystemExit(3), RecursionError("too deep")])
def test_an_error_is_one_line_that_names_what_failed_and_where(error: BaseException) -> None:
    said = rf"^The tool 'ask' failed: {type(error).__name__}: .+ \(test_error_boundary.py, line \d+\)\.$"
    with pytest.raises(InternalError, match=said) as raised, contain_errors("the tool 'ask'", InternalError):
        raise error
    assert raised.value.__cause__ is error


def test_a_syntax_error_is_where_it_says_itself() -> None:
    said = r"^Included file 'a.py' failed: SyntaxError: .+ \(a.py, line 2\)\.$"
    with pytest.raises(ModelError, match=said), contain_errors("included file 'a.py'"):
        compile("x = 1\ndef y(:", "a.py", "exec")


def test_it_is_a_failed_model_where_no_kind_is_named() -> None:
    with pytest.raises(ModelError, match=r"^The captioner failed: ValueError: odd"), contain_errors("the captioner"):
        raise ValueError("odd")


def test_errors_of_our_own_pass_as_they_are() -> None:
    with pytest.raises(BadAudio, match=r"^No sound\.$"), contain_errors("the captioner", BadConfig):
        raise BadAudio("No sound.")


@pytest.mark.parametrize("stop", [KeyboardInterrupt, asyncio.CancelledError])
def test_an_interruption_and_a_cancellation_pass(stop: type[BaseException]) -> None:
    with pytest.raises(stop), contain_errors("the captioner"):
        raise stop
