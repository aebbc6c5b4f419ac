"""Cancellation of work in threads, and of work that takes one cancellation only.

A thread cannot be killed, so cancellation is cooperative: long work calls `raise_if_cancelled` between its steps, and
ends at the first call after the task that awaits it was cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from threading import Event
from typing import ParamSpec, TypeAlias, TypeVar

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
CancelCheck: TypeAlias = Callable[[], bool]

_cancel_check: ContextVar[CancelCheck | None] = ContextVar("earwitness_cancel_check", default=None)
_threads: ContextVar[Executor | None] = ContextVar("earwitness_threads", default=None)


class Cancelled(Exception):
    """Ends the work of a thread; no task is left that could see it."""


async def run_in_thread(
    work: Callable[Parameters, Result], *arguments: Parameters.args, **named: Parameters.kwargs
) -> Result:
    """Run work in a thread as `asyncio.to_thread` does; cancelling the caller also ends the work at its next step.

    The thread is one of those that `use_threads` names, otherwise one of asyncio's own.
    """
    return await run_in_executor(_threads.get(), partial(work, *arguments, **named))


async def run_in_executor(threads: Executor | None, work: Callable[[], Result]) -> Result:
    """Run work in one of `threads` (None: asyncio's own), where it may have to wait; cancellation as above."""
    cancelled, context = Event(), copy_context()
    context.run(_cancel_check.set, cancelled.is_set)
    try:
        return await asyncio.get_running_loop().run_in_executor(threads, context.run, work)
    except asyncio.CancelledError:
        cancelled.set()
        raise


async def cancel_once(work: Awaitable[Result]) -> Result:
    """Wait for work, and pass on only the first cancellation: a second one would interrupt how the work ends.

    A client that hangs up is seen in two places, and anyio cancels again and again. LangGraph, cancelled twice, leaves
    its nodes running.
    """
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    finally:
        working.cancel()


@contextmanager
def use_threads(threads: Executor) -> Iterator[None]:
    """Let `run_in_thread` run work of the block in these threads."""
    token = _threads.set(threads)
    try:
        yield
    finally:
        _threads.reset(token)


@contextmanager
def cancel_when(check: CancelCheck) -> Iterator[None]:
    """End the work of this thread at its next step once `check` returns true."""
    token = _cancel_check.set(check)
    try:
        yield
    finally:
        _cancel_check.reset(token)


def is_cancelled() -> bool:
    """Say whether the work of this thread was cancelled."""
    check = _cancel_check.get()
    return check is not None and check()


def raise_if_cancelled() -> None:
    """End the work of this thread if it was cancelled, by raising `Cancelled`."""
    if is_cancelled():
        raise Cancelled
