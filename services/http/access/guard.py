"""Authentication and rate limits per API key: ASGI middleware in front of every route.

With keys, every request but those to `PUBLIC` paths needs one, as `Authorization: Bearer KEY` or `x-api-key: KEY`, or
from a browser as the password that it asks for (RFC 7617); each key has its rate and its number of requests in
flight, per replica. Browsers send a password along with what other sites make them ask (CSRF): from there it does
not count. Without keys, the server is for this machine only: the Host and Origin that a browser sends must be
loopback, or any web page could ask through a name of its own that it points to 127.0.0.1 (DNS rebinding).
"""

import base64
import ipaddress
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.http.access.auth import ApiKeys
from services.http.access.limits import PerKey
from services.http.access.live_keys import LiveKeys
from services.http.responses import build_error
from services.request_context import get_context, use_context

PUBLIC = frozenset({"/healthz", "/readyz"})
OWN_SITES = frozenset({"same-origin", "none"})  # Sec-Fetch-Site of our page, and of an address that a person typed
NETLOC = re.compile(r"(?:https?://)?(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::\d{1,5})?", re.ASCII | re.IGNORECASE)


@dataclass(slots=True)
class _Use:
    """The state of a key's rate limit: a token bucket, and its requests in flight."""

    tokens: float
    since: float
    num_running: int = 0


@dataclass(frozen=True, slots=True)
class _Refusal:
    """A response in place of the application's."""

    status: HTTPStatus
    code: str
    message: str
    kind: str = ""
    """As `build_error` takes it."""
    headers: tuple[tuple[str, str], ...] = (("Cache-Control", "no-store"),)


class Guard:
    """Lets requests through to `app` that are allowed, and answers the others itself."""

    def __init__(
        self, app: ASGIApp, keys: ApiKeys | LiveKeys, limits: PerKey, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._app, self._keys, self._limits, self._clock = app, keys, limits, clock
        self._uses: dict[str, _Use] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse a request, or pass it on."""
        if scope["type"] == "lifespan" or scope["path"] in PUBLIC:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        keys = self._keys.read_current()
        if not keys:
            refusal = _refuse_unless_local(headers)
            await (_refuse(scope, send, refusal) if refusal else self._app(scope, receive, send))
            return
        owner = keys.find_owner(_find_presented_key(headers))
        if owner is None:
            await _refuse(scope, send, UNKNOWN_KEY)
            return
        with use_context(replace(get_context(), tenant=owner)):
            use = self._uses.setdefault(owner, _Use(self._limits.burst, self._clock()))
            await self._run_within_limits(use, scope, receive, send)

    async def _run_within_limits(self, use: _Use, scope: Scope, receive: Receive, send: Send) -> None:
        if refusal := self._check_limits(use):
            await _refuse(scope, send, refusal)
            return
        use.num_running += 1
        try:
            await self._app(scope, receive, send)
        finally:
            use.num_running -= 1

    def _check_limits(self, use: _Use) -> _Refusal | None:
        """Take a token of the bucket; return the refusal where there is none, or too many requests are in flight."""
        most, per_s = self._limits.max_running, self._limits.requests_per_s
        if use.num_running >= most:
            return _refuse_too_many(f"This key has {most} requests in flight, the most it may have.", wait_s=1)
        now = self._clock()
        use.tokens = min(self._limits.burst, use.tokens + (now - use.since) * per_s)
        use.since = now
        if use.tokens < 1:
            wait_s = math.ceil((1 - use.tokens) / per_s)
            return _refuse_too_many(f"This key may ask {per_s:g} times a second; wait {wait_s} s.", wait_s)
        use.tokens -= 1
        return None


UNKNOWN_KEY = _Refusal(
    HTTPStatus.UNAUTHORIZED,
    "invalid_api_key",
    "No valid API key came with the request: send 'Authorization: Bearer KEY' or 'x-api-key: KEY'.",
    headers=(  # one each: Chromium reads but the first challenge of a header
        ("WWW-Authenticate", 'Basic realm="Earwitness: any name, an API key as password", charset="UTF-8"'),
        ("WWW-Authenticate", "Bearer"),
    ),
)
NOT_LOCAL = _Refusal(
    HTTPStatus.FORBIDDEN,
    "not_local",
    "This server has no API keys, so it answers this machine only, under localhost or 127.0.0.1; "
    "`earwitness keys new NAME` makes a key.",
)


def _refuse_too_many(message: str, wait_s: int) -> _Refusal:
    return _Refusal(
        HTTPStatus.TOO_MANY_REQUESTS, "rate_limit_exceeded", message, "requests", (("Retry-After", str(wait_s)),)
    )


def _find_presented_key(headers: Headers) -> str:
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        return _read_password(credentials) if headers.get("sec-fetch-site") in OWN_SITES else ""
    return credentials.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _read_password(credentials: str) -> str:
    try:
        return base64.b64decode(credentials, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


def _refuse_unless_local(headers: Headers) -> _Refusal | None:
    hosts = headers.getlist("host")
    local = len(hosts) == 1 and all(map(is_loopback, hosts + headers.getlist("origin")))
    return None if local else NOT_LOCAL


def is_loopback(netloc: str) -> bool:
    """Say whether a host, also with a port and `http://`, is this machine by a name that DNS cannot redirect."""
    match = NETLOC.fullmatch(netloc)
    host = match[1].strip("[]").lower() if match else ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _refuse(scope: Scope, send: Send, refusal: _Refusal) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.code})
        return
    error = build_error(refusal.status, refusal.code, refusal.message, kind=refusal.kind)
    body = error.model_dump_json().encode()
    headers = (("Content-Type", "application/json"), ("Content-Length", str(len(body))), *refusal.headers)
    raw = [(name.lower().encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": int(refusal.status), "headers": raw})
    await send({"type": "http.response.body", "body": body})
