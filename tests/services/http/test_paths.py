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
