"""Paths with slashes to spare lead where those without them do, with the same keys asked for."""

import aiohttp
import pytest


@pytest.mark.parametrize("path", ["/v1/chat/completions/", "//v1/chat//completions", "/v1//chat/completions///"])
async def test_slashes_to_spare_do_not_count(path: str, url: str) -> None:
    body = {"model": "text", "messages": [{"role": "user", "content": "Which?\n(A) Rain\n(B) A dog"}]}
    async with aiohttp.ClientSession() as session:
        async with session.post(url + path, json=body, allow_redirects=False) as reply:
            assert (reply.status, (await reply.json())["choices"][0]["message"]["content"]) == (200, "A dog")
        async with session.get(f"{url}/healthz//") as health:
            assert health.status == 200
        async with session.get(f"{url}/no/such/") as missing:
            assert missing.status == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/models", "/"])
async def test_head_is_answered_as_get_without_a_body(path: str, url: str) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(url + path) as whole, session.head(url + path) as head:
            assert (head.status, head.content_type) == (whole.status, whole.content_type)
            assert (await head.read(), head.headers["Content-Length"]) == (b"", whole.headers["Content-Length"])
        async with session.head(f"{url}/v1/chat/completions") as refused:
            assert (refused.status, refused.headers["Allow"]) == (405, "POST")
