"""Continuous micro-batches: requests that arrive while a batch runs form the next one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar, overload

from services.stopping import unwanted_when

Request = TypeVar("Request")
Result = TypeVar("Result")


class _Waiting(NamedTuple, Generic[Request, Result]):
    request: Request
    result: "asyncio.Future[Result]"


class Batch(Sequence[Request]):
    """The requests of one batch, and who of them still waits."""

    def __init__(self, waiting: "Sequence[_Waiting[Request, Any]]") -> None:
        self._waiting = waiting

    def is_wanted(self, number: int) -> bool:
        """Say whether the result of a request is still awaited; the result of any other may be anything."""
        return not self._waiting[number].result.done()

    def is_unwanted(self) -> bool:
        """Say whether nobody waits for any of the results any more."""
        return all(waiting.result.done() for waiting in self._waiting)

    def __len__(self) -> int:
        return len(self._waiting)

    @overload
    def __getitem__(self, place: int) -> Request: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Request]: ...
    def __getitem__(self, place: int | slice) -> Request | Sequence[Request]:
        requests = [waiting.request for waiting in self._waiting]
        return requests[place]


class Batcher(Generic[Request, Result]):
    """Runs one batch at a time in a thread of its own; who gives up before its batch starts is left out.

    Args:
        run: takes at most `max_size` requests and returns their results in order; what it raises,
            every request of that batch raises. Long work asks `Batch.is_wanted` between its steps, or calls
            `stop_if_unwanted`, which ends a batch that nobody waits for.
        max_size: largest batch.
    """

    def __init__(self, run: Callable[[Batch[Request]], Sequence[Result]], *, max_size: int) -> None:
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
            wanted = [waiting for waiting in self._waiting if not waiting.result.done()]
            batch, self._waiting = wanted[: self._max_size], wanted[self._max_size :]
            if batch:
                running = asyncio.get_running_loop().run_in_executor(self._thread, self._run_one, Batch(batch))
                await asyncio.wait([running])
                _deliver(batch, running)

    def _run_one(self, batch: Batch[Request]) -> Sequence[Result]:
        with unwanted_when(batch.is_unwanted):
            return self._run(batch)


def _deliver(batch: list[_Waiting[Request, Result]], running: "asyncio.Future[Sequence[Result]]") -> None:
    error = running.exception()
    for number, waiting in enumerate(batch):
        if waiting.result.done():
            continue
        if error is not None:
            waiting.result.set_exception(error)
        else:
            waiting.result.set_result(running.result()[number])
