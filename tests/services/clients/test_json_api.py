"""Responses of an HTTP server: replies, retries and errors. The server here is real, on loopback."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from aiohttp import web
from pydantic import BaseModel, SecretStr

from services.clients.chat_audio import AUDIO_PLACE
from services.clients.json_api import NotFound, Server, _parse_retry_after, insert_audio
from services.errors import BadConfig, ModelError
from services.scripted.server import ScriptedServer, run_scripted_server


class Reply(BaseModel):
    """What the server is asked for."""

    text: str


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedServer]:
    async with run_scripted_server("/ask") as server:
        yield server


def server(url: str, *, num_retries: int = 2) -> Server:
    return Server(url, "asked for 'toy'", api_key=SecretStr("k"), timeout_s=5, num_retries=num_retries)


def fine(text: str = "yes") -> web.Response:
    return web.json_response({"text": text})


async def test_garbage_half_a_body_and_errors_are_asked_again(scripted: ScriptedServer) -> None:
    pause = {"Retry-After": "0"}
    scripted.responses = [web.Response(text="<html>"), web.Response(status=503, headers=pause), fine()]
    reply = await server(scripted.url).post("/ask", b"{}", Reply.model_validate_json)
    assert reply.text == "yes"
    assert scripted.bodies == [b"{}"] * 3
    assert scripted.keys == ["Bearer k"] * 3


async def test_what_goes_on_failing_is_named_with_the_server_and_its_words(scripted: ScriptedServer) -> None:
    scripted.responses = [web.Response(status=429, headers={"Retry-After": "0"}, text="slow\ndown.") for _ in range(2)]
    with pytest.raises(ModelError) as raised:
        await server(scripted.url, num_retries=1).post("/ask", b"{}", Reply.model_validate_json)
    said = str(raised.value)
    assert "asked for 'toy', answered 429 Too Many Requests: slow down." in said
    assert said.endswith("Tried 2 times.")


async def test_a_refusal_is_not_asked_again(scripted: ScriptedServer) -> None:
    scripted.responses = [web.Response(status=400, text="too long"), web.Response(status=404, text="no such model")]
    with pytest.raises(ModelError, match="answered 400 Bad Request: too long"):
        await server(scripted.url).post("/ask", b"{}", Reply.model_validate_json)
    with pytest.raises(NotFound, match="no such model"):
        await server(scripted.url).post("/ask", b"{}", Reply.model_validate_json)
    assert len(scripted.bodies) == 2


@pytest.mark.parametrize(("num_retries", "tried"), [(0, "once"), (1, "2 times"), (8, "2 times")])
async def test_a_refused_connection_is_tried_once_more_and_its_reason_named(num_retries: int, tried: str) -> None:
    with pytest.raises(ModelError) as raised:
        await server("http://127.0.0.1:9", num_retries=num_retries).post("/ask", b"{}", Reply.model_validate_json)
    assert "cannot be reached: Connect" in str(raised.value)
    assert str(raised.value).endswith(f"Tried {tried}.")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ftp://here", "is not a server URL"),
        ("http://me:pw@here/v1", "EARWITNESS_API_KEY"),
        ("here:8000", "not a server URL"),
    ],
)
def test_unusable_urls_are_refused_before_anything_is_sent(url: str, said: str) -> None:
    with pytest.raises(BadConfig, match=said) as raised:
        server(url)
    assert "pw" not in str(raised.value)


def test_a_pause_is_given_in_seconds_or_as_a_date() -> None:
    assert _parse_retry_after("2.5") == 2.5
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert _parse_retry_after(in_a_minute) == pytest.approx(60, abs=2)
    assert _parse_retry_after(format_datetime(datetime.now(UTC) - timedelta(seconds=60), usegmt=True)) == 0.0
    assert _parse_retry_after("soon") is None
    assert _parse_retry_after("") is None


async def test_a_clip_of_megabytes_is_spliced_in_once(scripted: ScriptedServer) -> None:
    scripted.responses = [fine()]
    audio = b"QUJD" * 1_000_000
    request = insert_audio(f'{{"audio": "{AUDIO_PLACE}", "text": "{AUDIO_PLACE}"}}', audio)
    assert request.count(audio) == 1
    await server(scripted.url).post("/ask", request, Reply.model_validate_json)
    assert scripted.bodies == [request]


@pytest.mark.parametrize("url", ["http://[::1", "http://me:pw@[::1", "http://here:99999/v1", "http://:80/v1"])
def test_a_url_that_no_server_can_have_is_refused(url: str) -> None:
    with pytest.raises(BadConfig, match="not a server URL") as raised:
        server(url)
    assert "pw" not in str(raised.value)
