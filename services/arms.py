"""Two or more arms asked the same question side by side: where one fails, the others still answer."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, NamedTuple, TypeVar

from services.errors import EarwitnessError

Result = TypeVar("Result")


class ArmResults(NamedTuple, Generic[Result]):
    """What the arms gave."""

    found: Mapping[str, Result]
    """Name of the arm -> its result, in the order in which they were asked, without those that failed."""
    missing: tuple[str, ...]
    """A sentence for each arm that failed: its name, and why."""


async def ask_arms(arms: Mapping[str, Callable[[], Awaitable[Result]]], *, at_once: bool) -> ArmResults[Result]:
    """Ask every arm and collect what they give.

    `at_once`: concurrently; else one after the other, so that the seconds of one are not spent waiting for another.
    Raises the first error where all arms fail; any error that is not an `EarwitnessError` cancels the other arms.
    """
    running: dict[str, asyncio.Future[Result | EarwitnessError]] = {}
    try:
        for name, ask in arms.items():
            running[name] = asyncio.ensure_future(_return_error(ask))
            if not at_once:
                await running[name]
        outcomes = {name: await one for name, one in running.items()}
    finally:
        for one in running.values():
            one.cancel()
    errors = {name: one for name, one in outcomes.items() if isinstance(one, EarwitnessError)}
    if len(errors) == len(outcomes):
        raise next(iter(errors.values()))
    return ArmResults(
        found={name: one for name, one in outcomes.items() if not isinstance(one, EarwitnessError)},
        missing=tuple(f"no {name}: {error}" for name, error in errors.items()),
    )


async def _return_error(ask: Callable[[], Awaitable[Result]]) -> Result | EarwitnessError:
    try:
        return await ask()
    except EarwitnessError as error:
        return error
