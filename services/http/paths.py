"""Paths and methods of requests: trailing and repeated slashes do not count, and HEAD is answered as GET is.

Base URLs that are joined carelessly make such slashes; who watches a service asks by HEAD, and the server leaves out
what the body of the response would be.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

SLASHES = re.compile(r"/{2,}")


class PathNormaliser:
    """ASGI middleware that hands each request on with single slashes and none at the end of its path, HEAD as GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on."""
        if scope["type"] in ("http", "websocket"):
            scope["path"] = SLASHES.sub("/", scope["path"]).rstrip("/") or "/"
        if scope.get("method") == "HEAD":
            scope = {**scope, "method": "GET"}  # not in place: the server looks at its own
        await self._app(scope, receive, send)
