"""Continuous micro-batches: requests that arrive while a batch runs form the next one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, NamedTuple, TypeVar

Request = TypeVar("Request")
Result = TypeVar("Result")


class _Waiting(NamedTuple, Generic[Request, Result]):
    request: Request
    result: "asyncio.Future[Result]"


class Batcher(Generic[Request, Result]):
    """Runs one batch at a time in a thread of its own.

    Args:
        run: takes at most `max_size` requests and returns their results in order; what it raises,
            every request of that batch raises.
        max_size: largest batch.
    """

    def __init__(self, run: Callable[[Sequence[Request]], Sequence[Result]], *, max_size: int) -> None:
        self._run = run
        self._max_size = max_size
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llm")
        self._waiting: list[_Waiting[Request, Result]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, request: Request) -> Result:
        """Return the result of one request."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(request, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work())
        return await future

    async def _work(self) -> None:
        await asyncio.sleep(0)  # whoever is ready in this turn of the event loop joins the first batch
        while self._waiting:
            batch, self._waiting = self._waiting[: self._max_size], self._waiting[self._max_size :]
            batch = [waiting for waiting in batch if not waiting.result.done()]
            requests = [waiting.request for waiting in batch]
            running = asyncio.get_running_loop().run_in_executor(self._thread, self._run, requests)
            await asyncio.wait([running])
            _deliver(batch, running)


def _deliver(batch: list[_Waiting[Request, Result]], running: "asyncio.Future[Sequence[Result]]") -> None:
    error = running.exception()
    for number, waiting in enumerate(batch):
        if waiting.result.done():
            continue
        if error is not None:
            waiting.result.set_exception(error)
        else:
            waiting.result.set_result(running.result()[number])
