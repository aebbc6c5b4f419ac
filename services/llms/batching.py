"""Micro-batching: requests that arrive while a batch runs form the next one; long ones hold up no others."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, Generic, NamedTuple, TypeVar, overload

from services.cancellation import cancel_when
from services.native_libraries import release_freed_memory
from services.types import Choice, Message

LONG_BYTES = 2_000  # of a prompt that is long: some 500 tokens, most prompts have 200

Request = TypeVar("Request")
Result = TypeVar("Result")


class Prompt(NamedTuple):
    """A request to an LLM: a prompt, and the options that it is read for; none where a reply is to be written."""

    messages: tuple[Message, ...]
    choices: tuple[Choice, ...] = ()

    def is_long(self) -> bool:
        """Say whether it takes so long to read that others should not wait for it."""
        return sum(len(message.content.encode()) for message in self.messages) > LONG_BYTES


class Lanes(NamedTuple):
    """Threads that batches run in: one for long requests, and one for the others, which do not wait for those."""

    usual: Executor
    long: Executor


def open_lanes() -> Lanes:
    """Return a thread for each lane; several batchers may share them."""
    return Lanes(*(ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"llm-{name}") for name in Lanes._fields))


class Batch(Sequence[Request]):
    """The requests of one batch, and which of them were cancelled.

    Args:
        requests: in the order of their results.
        check: number of a request -> whether it was cancelled.
        is_long: whether they are long ones.
    """

    def __init__(self, requests: Sequence[Request], check: Callable[[int], bool], *, is_long: bool = False) -> None:
        self._requests = requests
        self.is_cancelled = check
        """Says whether a request was cancelled; its result may be anything then."""
        self.is_long = is_long

    def is_all_cancelled(self) -> bool:
        """Say whether every request was cancelled."""
        return all(map(self.is_cancelled, range(len(self))))

    def __len__(self) -> int:
        return len(self._requests)

    @overload
    def __getitem__(self, place: int) -> Request: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Request]: ...
    def __getitem__(self, place: int | slice) -> Request | Sequence[Request]:
        return self._requests[place]


class _Waiting(NamedTuple, Generic[Request, Result]):
    request: Request
    result: "asyncio.Future[Result]"


class _BatchLane(Generic[Request, Result]):
    """Requests that wait for a thread, and the task that runs them."""

    def __init__(self, thread: Executor, *, is_long: bool) -> None:
        self.thread, self.is_long = thread, is_long
        self.waiting: list[_Waiting[Request, Result]] = []
        self.worker: asyncio.Task[None] | None = None


class Batcher(Generic[Request, Result]):
    """Runs one batch at a time in each lane; requests cancelled before their batch starts are left out.

    Args:
        run: takes at most `max_size` requests and returns their results in order; what it raises,
            every request of that batch raises. Long work asks `Batch.is_cancelled` between its steps, or calls
            `raise_if_cancelled`, which ends a batch whose requests were all cancelled. Batches of both lanes may run
            at once.
        max_size: largest batch.
        is_long: whether a request is long; None: none is.
        lanes: None: its own.
    """

    def __init__(
        self,
        run: Callable[[Batch[Request]], Sequence[Result]],
        *,
        max_size: int,
        is_long: Callable[[Request], bool] | None = None,
        lanes: Lanes | None = None,
    ) -> None:
        self._run, self._max_size, self._is_long = run, max_size, is_long
        threads = lanes or open_lanes()
        self._usual = _BatchLane[Request, Result](threads.usual, is_long=False)
        self._long = _BatchLane[Request, Result](threads.long, is_long=True)

    async def submit(self, request: Request) -> Result:
        """Return the result of one request."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        future.add_done_callback(_look_at_error)
        lane = self._long if self._is_long and self._is_long(request) else self._usual
        lane.waiting.append(_Waiting(request, future))
        if lane.worker is None or lane.worker.done():
            lane.worker = asyncio.create_task(self._run_batches(lane))
        return await future

    async def _run_batches(self, lane: _BatchLane[Request, Result]) -> None:
        await asyncio.sleep(0)  # requests that are ready in this turn of the event loop join the first batch
        while lane.waiting:
            awaited = [waiting for waiting in lane.waiting if not waiting.result.done()]
            batch, lane.waiting = awaited[: self._max_size], awaited[self._max_size :]
            if batch:
                asked = _make_batch(batch, is_long=lane.is_long)
                running = asyncio.get_running_loop().run_in_executor(lane.thread, self._run_one, asked)
                running.add_done_callback(_look_at_error)
                await asyncio.wait([running])
                _deliver(batch, running)

    def _run_one(self, batch: Batch[Request]) -> Sequence[Result]:
        try:
            with cancel_when(batch.is_all_cancelled):
                return self._run(batch)
        finally:
            release_freed_memory()


def _look_at_error(future: "asyncio.Future[Any]") -> None:
    """Take note of an error that nobody may wait for any more, which asyncio would log as never retrieved."""
    if not future.cancelled():
        future.exception()


def _make_batch(waiting: Sequence[_Waiting[Request, Any]], *, is_long: bool) -> Batch[Request]:
    results = [one.result for one in waiting]
    return Batch([one.request for one in waiting], lambda number: results[number].done(), is_long=is_long)


def _deliver(batch: list[_Waiting[Request, Result]], running: "asyncio.Future[Sequence[Result]]") -> None:
    error = running.exception()
    for number, waiting in enumerate(batch):
        if waiting.result.done():
            continue
        if error is not None:
            waiting.result.set_exception(error)
        else:
            waiting.result.set_result(running.result()[number])
