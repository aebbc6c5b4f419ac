"""Work in threads that ends when nobody waits for it any more.

A thread cannot be killed: long work calls `stop_if_unwanted` between its steps, and ends at the first call after
whoever awaited it was cancelled.
"""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from threading import Event
from typing import ParamSpec, TypeAlias, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Saying: TypeAlias = Callable[[], bool]

_unwanted: ContextVar[Saying | None] = ContextVar("earwitness_unwanted", default=None)


class Stopped(Exception):
    """Ends the work of a thread; nobody is left to see it."""


async def in_thread(
    work: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Do work in a thread as `asyncio.to_thread` does; being cancelled also stops the work at its next step."""
    return await in_thread_of(None, partial(work, *arguments, **named))


async def in_thread_of(threads: Executor | None, work: Callable[[], Result]) -> Result:
    """Do the same in a thread of these, where it may have to wait for its turn; None: of asyncio's own."""
    unwanted, context = Event(), copy_context()
    context.run(_unwanted.set, unwanted.is_set)
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, context.run, work)
    except asyncio.CancelledError:
        unwanted.set()
        raise


@contextmanager
def unwanted_when(says_so: Saying) -> Iterator[None]:
    """Let the work of this thread end at its next step once nobody waits for it."""
    token = _unwanted.set(says_so)
    try:
        yield
    finally:
        _unwanted.reset(token)


def is_unwanted() -> bool:
    """Say whether nobody waits for the work of this thread any more."""
    says_so = _unwanted.get()
    return says_so is not None and says_so()


def stop_if_unwanted() -> None:
    """End the work of this thread if nobody waits for it any more."""
    if is_unwanted():
        raise Stopped
