"""Rules that scripted models follow: what a rule returns, the model returns; what it raises, the model raises."""

from collections.abc import Awaitable, Callable
from typing import NoReturn, ParamSpec, TypeVar

from services.types import AudioClip, Choice, Reading

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


async def follow(
    rule: Callable[Parameters, Result | Awaitable[Result]], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Return what a rule makes of its arguments; a rule may be a coroutine function, for a model that takes time."""
    result = rule(*arguments, **named)
    return await result if isinstance(result, Awaitable) else result


def fail_with(error: Exception) -> Callable[..., NoReturn]:
    """Build the rule of a model that is down: it raises `error`, whatever it is given."""

    def fail(*_: object) -> NoReturn:
        """Raise the error, whatever is asked."""
        raise error

    return fail


not_expected = fail_with(AssertionError("a scripted model was asked what its test did not expect"))
"""Rule of a model that a test does not ask."""


def weigh(*probabilities: float) -> Callable[..., Reading]:
    """Build a rule for `choose`: the options have these probabilities, in their order, and the likeliest is replied.

    The rule takes the options as its last argument, so that it serves an LLM as well as a LALM.
    """

    def choose(*asked: str | AudioClip | tuple[Choice, ...]) -> Reading:
        """Return the probabilities in the order of the options, and the likeliest letter."""
        *_, choices = asked
        assert isinstance(choices, tuple)
        odds = dict(zip((choice.letter for choice in choices), probabilities, strict=True))
        return Reading(reply=max(odds, key=odds.__getitem__), probabilities=odds)

    return choose
