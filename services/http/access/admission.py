"""Admission control: a bounded number of requests in work, a bounded queue, and 503 beyond (back-pressure)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from math import ceil
from time import perf_counter
from typing import TypeVar

from fastapi import Request

from services.deadline import BASE_S, hold_to_deadline, limit_time
from services.errors import ClientGone, Overloaded
from services.http.access.limits import Limits
from services.http.access.uploads import UploadBudget
from services.settings import read_settings
from services.telemetry.metrics import RUNNING, STAGE_SECONDS, WAITING
from services.telemetry.request_log import read_request_facts
from services.telemetry.tracing import start_span

MAX_RETRY_AFTER_S = 60
WEIGHT = 0.1  # of the newest request in the mean of what requests took

Read = TypeVar("Read")
Done = TypeVar("Done")


def is_stopping() -> bool:
    """Say whether the service is shutting down: it finishes the requests in work and refuses new ones."""
    stop_file = read_settings().stop_file
    return stop_file is not None and stop_file.exists()


class AdmissionControl:
    """Admits requests: each gets a place at once or is refused, and starts its work in turn.

    A place covers the upload too, so that memory is bounded; a turn does not, so that slow uploads delay no other
    request.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turns = asyncio.Semaphore(limits.max_running)
        self._num_inside = 0
        self._uploads = UploadBudget(limits.max_upload_bytes_inside)
        self._mean_s = 1.0

    async def serve(
        self,
        request: Request,
        read: Callable[[Request], Awaitable[Read]],
        work: Callable[[Read], Awaitable[Done]],
    ) -> Done:
        """Read a request and do its work, unless it is refused, the deadline passes or the client disconnects."""
        deadline_s = BASE_S if self._limits.deadline_s is None else self._limits.deadline_s
        late = "No answer within {seconds:g} s; ask about a shorter clip, or raise `deadline_s`."
        async with hold_to_deadline(deadline_s, late):
            with self._take_place(), self._uploads.place(request):
                with _time_stage("upload"):
                    asked = await self._read(request, read)
                return await _run_while_connected(request, self._run_in_turn(work, asked))

    async def _read(self, request: Request, read: Callable[[Request], Awaitable[Read]]) -> Read:
        upload_s = self._limits.upload_s
        late = f"The upload was not there within {upload_s:g} s; send a compressed format, or raise `upload_s`."
        async with limit_time(upload_s, late):
            return await read(request)

    @contextmanager
    def _take_place(self) -> Iterator[None]:
        running, waiting = self._limits.max_running, self._limits.max_waiting
        if is_stopping():
            raise Overloaded(
                f"The service is stopping and takes in nothing new; try again in {MAX_RETRY_AFTER_S} s.",
                retry_after_s=MAX_RETRY_AFTER_S,
            )
        if self._num_inside >= self._limits.max_inside:
            wait_s = min(ceil(self._mean_s * (waiting + 1) / running), MAX_RETRY_AFTER_S)
            raise Overloaded(
                f"{running} requests are in work and {waiting} wait, the most that are taken in; "
                f"try again in {wait_s} s.",
                retry_after_s=wait_s,
            )
        self._num_inside += 1
        try:
            yield
        finally:
            self._num_inside -= 1

    async def _run_in_turn(self, work: Callable[[Read], Awaitable[Done]], asked: Read) -> Done:
        async with self._wait_for_turn():
            started = perf_counter()
            done = await work(asked)
            self._mean_s += WEIGHT * (perf_counter() - started - self._mean_s)
            return done

    @asynccontextmanager
    async def _wait_for_turn(self) -> AsyncIterator[None]:
        with _time_stage("wait"), WAITING.track_inprogress():
            await self._turns.acquire()
        try:
            with RUNNING.track_inprogress():
                yield
        finally:
            self._turns.release()


@contextmanager
def _time_stage(name: str) -> Iterator[None]:
    started = perf_counter()
    with start_span(name):
        yield
    seconds = perf_counter() - started
    STAGE_SECONDS.labels(stage=name).observe(seconds)
    read_request_facts().timings_s[name] = seconds


async def _run_while_connected(request: Request, work: Awaitable[Done]) -> Done:
    """Wait for the work of a request that has been read to its end; cancel it when the client disconnects."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_wait_for_disconnect(request))
    try:
        await asyncio.wait((working, leaving), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise ClientGone("The client hung up before its answer.")
        return working.result()
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _wait_for_disconnect(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
