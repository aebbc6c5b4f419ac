"""A response as server-sent events, begun while its request is still in work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Literal

from fastapi import Request, Response
from fastapi.responses import StreamingResponse

from services.errors import EarwitnessError
from services.http.faults import build_bug, build_own_error
from services.http.responses import ErrorBody, ErrorDetail
from services.telemetry.request_log import AboutRequest, find_request_facts
from services.types import Value

EVENT_STREAM = "text/event-stream"


class ErrorEvent(Value):
    """The last event of a request that failed after its first one."""

    type: Literal["error"] = "error"
    error: ErrorDetail


class EventSink:
    """Takes the events of a request, from any thread, and the headers of its response before the first of them."""

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}
        self._events: asyncio.Queue[str | None] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    def send(self, event: Value, *, exclude_none: bool = False) -> None:
        """Send an event; `exclude_none`: without the fields that are None."""
        self._loop.call_soon_threadsafe(self._events.put_nowait, format_event(event, exclude_none=exclude_none))

    def close(self) -> None:
        """End the stream after what was sent."""
        self._events.put_nowait(None)

    async def receive(self) -> str | None:
        """Return the next event as it is sent; None after the last one."""
        return await self._events.get()


def format_event(event: Value, *, exclude_none: bool = False) -> str:
    """Return an event as it is sent."""
    return f"data: {event.model_dump_json(exclude_none=exclude_none)}\n\n"


async def respond(request: Request, work: Callable[[EventSink], Awaitable[Response | None]]) -> Response:
    """Return the response that the work returns, or once it sends an event, a stream of all that it sends.

    An error before the first event is raised, as for any other request; a later one is the last event. Whoever leaves
    ends the work.
    """
    sink = EventSink()
    working = asyncio.ensure_future(work(sink))
    working.add_done_callback(lambda _: sink.close())
    try:
        first = await sink.receive()
    except asyncio.CancelledError:
        working.cancel()
        raise
    if first is None:
        response = working.result()
        assert response is not None, "neither events nor a response"
        return response
    stream = _stream(first, sink, working, find_request_facts(request.scope))
    return StreamingResponse(stream, media_type=EVENT_STREAM, headers={"Cache-Control": "no-store"} | sink.headers)


async def _stream(
    first: str, sink: EventSink, working: "asyncio.Future[Response | None]", about: AboutRequest
) -> AsyncIterator[str]:
    event: str | None = first
    try:
        while event is not None:
            yield event
            event = await sink.receive()
        if error := working.exception():
            yield format_event(ErrorEvent(error=_word_error(error, about).error))
    finally:
        working.cancel()


def _word_error(error: BaseException, about: AboutRequest) -> ErrorBody:
    return build_own_error(error, about) if isinstance(error, EarwitnessError) else build_bug(error, about)
