"""Micro-batching: requests that arrive while a batch runs form the next one."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar, overload

from services.cancellation import cancel_when
from services.types import Choice, Message

Request = TypeVar("Request")
Result = TypeVar("Result")


class Prompt(NamedTuple):
    """A request to an LLM: a prompt, and the options that it is read for; none where a reply is to be written."""

    messages: tuple[Message, ...]
    choices: tuple[Choice, ...] = ()


class _Waiting(NamedTuple, Generic[Request, Result]):
    request: Request
    result: "asyncio.Future[Result]"


class Batch(Sequence[Request]):
    """The requests of one batch, and which of them were cancelled."""

    def __init__(self, waiting: "Sequence[_Waiting[Request, Any]]") -> None:
        self._waiting = waiting

    def is_cancelled(self, number: int) -> bool:
        """Say whether a request was cancelled; its result may be anything then."""
        return self._waiting[number].result.done()

    def all_cancelled(self) -> bool:
        """Say whether every request was cancelled."""
        return all(map(self.is_cancelled, range(len(self))))

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
    """Runs one batch at a time in a thread of its own; requests cancelled before their batch starts are left out.

    Args:
        run: takes at most `max_size` requests and returns their results in order; what it raises,
            every request of that batch raises. Long work asks `Batch.is_cancelled` between its steps, or calls
            `raise_if_cancelled`, which ends a batch whose requests were all cancelled.
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
            self._worker = asyncio.create_task(self._run_batches())
        return await future

    async def _run_batches(self) -> None:
        await asyncio.sleep(0)  # requests that are ready in this turn of the event loop join the first batch
        while self._waiting:
            awaited = [waiting for waiting in self._waiting if not waiting.result.done()]
            batch, self._waiting = awaited[: self._max_size], awaited[self._max_size :]
            if batch:
                running = asyncio.get_running_loop().run_in_executor(self._thread, self._run_one, Batch(batch))
                await asyncio.wait([running])
                _deliver(batch, running)

    def _run_one(self, batch: Batch[Request]) -> Sequence[Result]:
        with cancel_when(batch.all_cancelled):
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
