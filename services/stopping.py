"""Work in threads that ends when nobody waits for it any more.

A thread cannot be killed: long work calls `stop_if_unwanted` between its steps, and ends at the first call after
whoever awaited it was cancelled.
"""

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from threading import Event
from typing import ParamSpec, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_unwanted: ContextVar[Event | None] = ContextVar("earwitness_unwanted", default=None)


class Stopped(Exception):
    """Ends the work of a thread; nobody is left to see it."""


async def in_thread(
    work: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Do work in a thread as `asyncio.to_thread` does; being cancelled also stops the work at its next step."""
    unwanted = Event()
    token = _unwanted.set(unwanted)
    try:
        working = asyncio.ensure_future(asyncio.to_thread(work, *arguments, **named))
    finally:
        _unwanted.reset(token)
    try:
        return await working
    except asyncio.CancelledError:
        unwanted.set()
        raise


def is_unwanted() -> bool:
    """Say whether nobody waits for the work of this thread any more."""
    unwanted = _unwanted.get()
    return unwanted is not None and unwanted.is_set()


def stop_if_unwanted() -> None:
    """End the work of this thread if nobody waits for it any more."""
    if is_unwanted():
        raise Stopped
