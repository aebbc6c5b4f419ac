"""A model server on loopback whose responses follow a script: for tests of clients, never for answers."""

import math
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic_core import from_json

MAX_BODY_BYTES = 10**8
CHAT = "/v1/chat/completions"


class ScriptedServer:
    """Gives the scripted responses one after the other, and keeps what it was sent."""

    def __init__(self) -> None:
        self.url = ""
        """Its address, without the path that it answers on."""
        self.responses: list[web.Response] = []
        """Those that are still to come."""
        self.bodies: list[bytes] = []
        self.keys: list[str | None] = []
        """The header `Authorization` of each request."""

    @property
    def requests(self) -> list[Any]:
        """The bodies, which are JSON."""
        return [from_json(body) for body in self.bodies]

    async def respond(self, request: web.Request) -> web.Response:
        """Keep a request and take the next response."""
        self.bodies.append(await request.read())
        self.keys.append(request.headers.get("Authorization"))
        return self.responses.pop(0)


@asynccontextmanager
async def run_scripted_server(path: str = CHAT) -> AsyncIterator[ScriptedServer]:
    """Run a server that answers POST requests on one path, by default that of an OpenAI-compatible one."""
    scripted = ScriptedServer()
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app.router.add_post(path, scripted.respond)
    async with TestServer(app) as running:
        scripted.url = str(running.make_url("/v1" if path == CHAT else "/"))
        yield scripted


def make_completion(text: str, letters: Mapping[str, float] | None = None, **usage: int) -> web.Response:
    """Make a chat completion; `letters` are the likeliest first tokens, with their probabilities."""
    choice: dict[str, Any] = {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    if letters:
        top = [{"token": token, "logprob": math.log(p)} for token, p in letters.items()]
        choice["logprobs"] = {"content": [{"token": text[0], "logprob": top[0]["logprob"], "top_logprobs": top}]}
    return web.json_response({"choices": [choice]} | ({"usage": usage} if usage else {}))
