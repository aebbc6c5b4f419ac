"""Heads of requests that never end, or hold too much, are refused while others are served."""

import asyncio
import json
from urllib.parse import urlsplit

import pytest
from ray.serve._private import http_util
from uvicorn.protocols.http import auto

from services.http.access.header_limit import MAX_HEAD_BYTES, PROXY_CALLBACK, BoundedHeadProtocol, bound_ray_proxy

REQUEST = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
CHUNKED = (
    b"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


async def send(url: str, *pieces: bytes) -> bytes:
    """Send pieces one after the other, and return what comes before the server hangs up or 10 s are over."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        async with asyncio.timeout(10):
            return await reader.read(1_000)
    except ConnectionError:
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "pieces",
    [
        (REQUEST + b"X-Long: " + b"a" * 2 * MAX_HEAD_BYTES + b"\r\n\r\n",),
        (REQUEST, *[b"X-Never-Ends: "], *[b"a" * 8_192] * 20),
        (REQUEST, *[b"X-Header: many\r\n" * 512] * 10, b"\r\n"),
        (b"GET /", *[b"a" * 8_192] * 20),
        (CHUNKED, b"0\r\nX-Trailer: ", *[b"a" * 8_192] * 80),
    ],
    ids=["one header", "no end", "many headers", "address", "trailer"],
)
async def test_a_head_beyond_the_bound_is_refused(pieces: tuple[bytes, ...], url: str) -> None:
    reply = await send(url, *pieces)
    assert reply == b"" or reply.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
    assert b" 200 " not in reply
    assert (await send(url, REQUEST + b"\r\n")).startswith(b"HTTP/1.1 200")


async def test_a_long_head_within_the_bound_and_a_long_body_are_taken(url: str) -> None:
    long = REQUEST + b"X-Long: " + b"a" * (MAX_HEAD_BYTES - 200) + b"\r\n\r\n"
    assert (await send(url, long)).startswith(b"HTTP/1.1 200")
    body = (
        b"POST /v1/responses HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: text/plain\r\nContent-Length: 300000\r\n\r\n"
    )
    assert (await send(url, body, b"a" * 300_000)).startswith(b"HTTP/1.1 415")


async def test_the_message_says_what_is_accepted(url: str) -> None:
    reply = await send(url, REQUEST + b"X-Long: ", b"a" * MAX_HEAD_BYTES, b"a" * 100)
    assert b'"code":"headers_too_large"' in reply
    assert str(MAX_HEAD_BYTES).encode() in reply


@pytest.mark.parametrize("request_", [b"BLAH\r\n\r\n", REQUEST + b"bad header\r\n\r\n", b"\x16\x03\x01\x02\x00"])
async def test_what_is_not_http_is_refused_as_every_other_error(request_: bytes, url: str) -> None:
    head, _, body = (await send(url, request_)).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ") and b"application/json" in head
    error = json.loads(body)["error"]
    assert (error["code"], error["message"]) == ("bad_http", "This is not an HTTP request.")


def test_rays_proxy_gets_the_bound_by_its_callback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto, "AutoHTTPProtocol", auto.AutoHTTPProtocol)
    assert http_util.call_function_from_import_path(PROXY_CALLBACK) == bound_ray_proxy() == []
    assert auto.AutoHTTPProtocol is BoundedHeadProtocol
