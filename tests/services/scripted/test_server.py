"""The scripted server gives its responses in order, keeps what it was sent, and fails without one."""

import aiohttp

from services.scripted.server import make_completion, run_scripted_server


async def test_responses_come_in_order_and_requests_are_kept() -> None:
    async with run_scripted_server() as server, aiohttp.ClientSession() as session:
        server.responses = [make_completion("A", {"A": 0.5, "B": 0.25}, prompt_tokens=7), make_completion("B")]
        url, headers = f"{server.url}/chat/completions", {"Authorization": "Bearer k"}
        first = await (await session.post(url, json={"n": 1}, headers=headers)).json()
        second = await (await session.post(url, json={"n": 2})).json()
        third = await session.post(url, json={"n": 3})
    assert [one["choices"][0]["message"]["content"] for one in (first, second)] == ["A", "B"]
    assert [top["token"] for top in first["choices"][0]["logprobs"]["content"][0]["top_logprobs"]] == ["A", "B"]
    assert (first["usage"], "usage" in second) == ({"prompt_tokens": 7}, False)
    assert third.status == 500
    assert (server.requests, server.keys) == ([{"n": 1}, {"n": 2}, {"n": 3}], ["Bearer k", None, None])
