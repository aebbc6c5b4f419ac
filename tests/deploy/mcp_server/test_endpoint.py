"""MCP over streamable HTTP, behind the gateway: keys, limits and admission are those of every route."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

pytest.importorskip("mcp", reason="pip install 'earwitness[mcp]'")

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError

from deploy.mcp_server import progress
from deploy.mcp_server.endpoint import MOST_BYTES, build_mcp_routes
from services.http.access.auth import ApiKeys, make_key
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.request_context import get_context
from services.scripted.service import ScriptedService
from services.types import Answer, AudioClip, Question

LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
NO_KEYS = ApiKeys()
ACCEPTED = {"Accept": "application/json, text/event-stream"}
LIMITS = Limits(max_upload_bytes=100_000, max_running=1, max_waiting=0, deadline_s=30)


@asynccontextmanager
async def serve(
    service: ScriptedService, folder: Path, keys: ApiKeys = NO_KEYS, limits: Limits = LIMITS
) -> AsyncIterator[str]:
    """Yield the URL of a gateway with the MCP server."""
    add_routes = partial(build_mcp_routes, service, limits, (folder,))
    app = create_app(service, limits, keys, add_routes=add_routes)
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off"))
        running = asyncio.create_task(server.serve([bound]))
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/mcp"
        service.release.set()
        server.should_exit = True
        await running


@asynccontextmanager
async def connect(url: str, mode: str = "auto", secret: str = "") -> AsyncIterator[Client]:
    """Yield the SDK's client, with an API key if there is one."""
    headers = {"Authorization": f"Bearer {secret}"} if secret else {}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_the_sdks_client_lists_and_calls_tools_with_a_key_and_the_work_is_that_keys(
    takes: Path, mode: str
) -> None:
    tenants = list[str]()

    def answer(question: Question, clip: AudioClip | None) -> Answer:
        tenants.append(get_context().tenant)
        return Answer(question_id="", reply=f"{clip.duration_s if clip else 0} s", choice=None, path="cascade")

    secret, key = make_key("alice")
    service = ScriptedService({"cascade": answer})
    async with serve(service, takes, ApiKeys((key,))) as url, connect(url, mode, secret) as client:
        assert "listen_spectrum" in {tool.name for tool in (await client.list_tools()).tools}
        found: Any = await client.call_tool("ask", {"recording": "tone.wav", "question": "How long?"})
        assert found.structured_content["reply"] == "2.0 s"
        refused: Any = await client.call_tool("ask", {"recording": "../outside.wav", "question": "How long?"})
        assert refused.is_error and "No recording '../outside.wav' below" in refused.content[0].text
    assert tenants == ["alice"]


@pytest.mark.slow
async def test_without_a_key_or_under_another_host_nobody_is_answered(takes: Path) -> None:
    _, key = make_key("alice")
    async with serve(ScriptedService(), takes, ApiKeys((key,))) as url, httpx.AsyncClient() as client:
        refused = await client.post(url, json=LIST, headers=ACCEPTED)
        assert (refused.status_code, refused.json()["error"]["code"]) == (401, "invalid_api_key")
    async with serve(ScriptedService(), takes) as url, httpx.AsyncClient() as client:
        for header in ("Host", "Origin"):
            refused = await client.post(url, json=LIST, headers=ACCEPTED | {header: "http://rebound.example"})
            assert refused.status_code in {400, 403}


@pytest.mark.slow
async def test_a_stream_is_not_offered_and_a_message_that_is_too_long_or_no_json_is_refused(takes: Path) -> None:
    async with serve(ScriptedService(), takes) as url, httpx.AsyncClient() as client:
        assert (await client.get(url, headers=ACCEPTED)).status_code == 405
        assert (await client.delete(url)).status_code == 405
        long = await client.post(url, json=LIST | {"x": "y" * MOST_BYTES}, headers=ACCEPTED)
        assert (long.status_code, long.json()["error"]["data"]["code"]) == (413, "too_large")
        many = await client.post(url, content=b"[" * 60_000, headers=ACCEPTED | {"Content-Type": "application/json"})
        assert many.status_code == 400
        assert (await client.post(url, content=b"x", headers=ACCEPTED)).status_code == 415
        broken = await client.post(url, content=b"{", headers=ACCEPTED | {"Content-Type": "application/json"})
        assert broken.status_code == 400


@pytest.mark.slow
async def test_a_recording_that_is_larger_than_an_upload_may_be_is_refused(takes: Path) -> None:
    (takes / "large.wav").write_bytes((takes / "tone.wav").read_bytes() + bytes(100_000))
    async with serve(ScriptedService(), takes) as url, connect(url) as client:
        refused: Any = await client.call_tool("transcribe", {"recording": "large.wav"})
        assert refused.is_error and refused.content[0].text.startswith("'large.wav' has more than the 100000 bytes")


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_calls_are_admitted_together_with_the_requests_of_other_routes(
    takes: Path, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def note(_: float, __: float | None, ___: str | None) -> None:
        """Take what comes: a service that keeps no streams sends nothing."""

    monkeypatch.setattr(progress, "EVERY_S", 0.01)
    service = ScriptedService()
    limits = LIMITS.model_copy(update={"deadline_s": 120})
    async with serve(service, takes, limits=limits) as url, connect(url, mode) as client, httpx.AsyncClient() as other:
        asked = {"recording": "tone.wav", "question": "slow"}
        slow = asyncio.create_task(client.call_tool("ask", asked, progress_callback=note))
        await service.started.wait()
        question = {"question": "What?", "audio": ""}
        refused = await other.post(url.removesuffix("/mcp") + "/v1/audio/questions", json=question)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
        refused = await other.post(url, json=LIST, headers=ACCEPTED)
        assert (refused.status_code, refused.json()["error"]["data"]["code"]) == (503, "overloaded")
        assert int(refused.headers["Retry-After"]) > 0
        with pytest.raises(MCPError, match="1 requests are in work and 0 wait"):
            await client.call_tool("recordings", {})
        service.release.set()
        assert not (await slow).is_error
