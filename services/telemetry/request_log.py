"""Request log: one structured line per request, and its request id; ASGI middleware around every route.

Logged are times, names, sizes and codes; never audio, questions, options, answers and keys.
"""

import asyncio
import re
from contextvars import ContextVar
from dataclasses import dataclass, field
from http import HTTPStatus
from time import perf_counter
from uuid import uuid4

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.errors import ClientGone
from services.request_context import RequestContext, use_context
from services.telemetry.log_lines import LOGGER
from services.telemetry.metrics import IN_FLIGHT, REQUEST_SECONDS, REQUESTS
from services.telemetry.tracing import TRACEPARENT, continue_trace, start_span

REQUEST_ID = "X-Request-Id"
SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", re.ASCII)
UNLOGGED = frozenset({"/healthz", "/readyz", "/metrics"})  # requested every few seconds; counted, but not logged


@dataclass(slots=True)
class AboutRequest:
    """Facts about the request in work, for its line in the log."""

    id: str
    model: str = ""
    """The model that answers, once it is known to exist."""
    route: str = ""
    """What a router chose: cascade, lalm or both."""
    error: str | None = None
    """Code of the error."""
    clip_s: float | None = None
    """Seconds of sound."""
    timings_s: dict[str, float] = field(default_factory=dict)
    degraded: tuple[str, ...] = ()
    cache: tuple[str, ...] = ()
    """Lookups in the perception cache, such as `captions hit`."""


_current: ContextVar[AboutRequest | None] = ContextVar("earwitness_request", default=None)


def read_request_facts() -> AboutRequest:
    """Return the facts about the request that this task works on."""
    return _current.get() or AboutRequest(id="")


def find_request_facts(scope: Scope) -> AboutRequest:
    """Return the facts about the request of an ASGI scope."""
    about: AboutRequest = scope["state"]["about"]
    return about


class RequestLog:
    """Gives each request an id, counts it and logs it.

    Args:
        app: the application that answers.
        proxied: whether a proxy in front puts the id on the response itself, as Ray Serve's does.
    """

    def __init__(self, app: ASGIApp, *, proxied: bool) -> None:
        self._app, self._proxied = app, proxied

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log it when it ends."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID, "")
        about = AboutRequest(given if SANE_ID.fullmatch(given) else uuid4().hex)
        scope.setdefault("state", {})["about"] = about
        token, call = _current.set(about), RequestContext(request_id=about.id)
        status, started = int(HTTPStatus.INTERNAL_SERVER_ERROR), perf_counter()

        async def send_with_id(message: Message) -> None:
            """Send a message of ASGI, with the request's id among the headers, and note the status."""
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                if not self._proxied or about.id != given:
                    MutableHeaders(scope=message)[REQUEST_ID] = about.id
            await send(message)

        try:
            parent = Headers(scope=scope).get(TRACEPARENT, "")
            with use_context(call), continue_trace(parent), start_span("request", {"request_id": about.id}) as facts:
                try:
                    with IN_FLIGHT.track_inprogress():
                        await self._app(scope, receive, send_with_id)
                finally:
                    facts |= {
                        "http.route": _find_route(scope),
                        "http.response.status_code": status,
                        "model": about.model,
                    }
        except asyncio.CancelledError:  # how Ray Serve signals that the client has disconnected
            status, about.error = ClientGone.http_status, ClientGone.code
            raise
        finally:
            _current.reset(token)
            about.cache = tuple(" ".join(lookup) for lookup in call.lookups)
            _note(scope, about, status, perf_counter() - started)


def _find_route(scope: Scope) -> str:
    route: str = getattr(scope.get("route"), "path", "unmatched")
    return route


def _note(scope: Scope, about: AboutRequest, status: int, seconds: float) -> None:
    route = _find_route(scope)
    REQUESTS.labels(route=route, status=str(status), model=about.model).inc()
    REQUEST_SECONDS.labels(route=route).observe(seconds)
    if route in UNLOGGED:
        return
    facts: dict[str, object] = {
        "request_id": about.id,
        "method": scope["method"],
        "route": route,
        "status": status,
        "seconds": round(seconds, 4),
        "error": about.error,
        "model": about.model or None,
        "chosen": about.route or None,
        "clip_s": about.clip_s,
        "stages_s": {stage: round(taken, 4) for stage, taken in about.timings_s.items()},
        "degraded": len(about.degraded),
        "cache": about.cache,
    }
    LOGGER.info(
        "request", extra={"facts": {name: fact for name, fact in facts.items() if fact not in (None, {}, 0, ())}}
    )
