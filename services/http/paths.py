"""Paths of requests: trailing and repeated slashes, as base URLs that are joined carelessly make them, do not count."""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

SLASHES = re.compile(r"/{2,}")


class PathNormaliser:
    """ASGI middleware that hands each request on under its path with single slashes and none at its end."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if scope["type"] in ("http", "websocket"):
            scope["path"] = SLASHES.sub("/", scope["path"]).rstrip("/") or "/"
        await self._app(scope, receive, send)
