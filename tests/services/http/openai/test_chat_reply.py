"""Replies to chat completions: their chunks in a stream, and the log-probabilities of the option letters."""

import math
from typing import Any

import pytest
from openai import AsyncOpenAI

from services.errors import Unsupported
from services.http.openai.chat_reply import build_completion
from services.types import Answer, Choice

LINES = "What is heard?\n(A) Rain\n(B) A dog"


def user(text: str, *parts: dict[str, Any]) -> list[Any]:
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def name(answer: Answer) -> str:
    return answer.reply


async def test_a_stream_is_role_content_end_and_usage(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    stream = await client.chat.completions.create(
        model="auto", messages=user(LINES, recording), stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert [(delta.role, delta.content) for delta in deltas] == [("assistant", ""), (None, "A dog"), (None, None)]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None, None, "stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens == 9
    assert chunks[-2].model_extra
    assert chunks[-2].model_extra["earwitness"]["path"] == "auto"


async def test_logprobs_are_those_of_the_option_letters(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    reply = await client.chat.completions.create(
        model="cascade", messages=user(LINES, recording), logprobs=True, top_logprobs=5
    )
    logprobs = reply.choices[0].logprobs
    assert logprobs and logprobs.content
    (letter,) = logprobs.content
    assert (letter.token, letter.bytes, math.exp(letter.logprob)) == ("B", [66], pytest.approx(0.5))
    assert {top.token: round(math.exp(top.logprob), 6) for top in letter.top_logprobs} == {"A": 0.5, "B": 0.5}


async def test_a_stream_brings_the_logprobs_with_the_content(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    stream = await client.chat.completions.create(
        model="cascade", messages=user(LINES, recording), stream=True, logprobs=True
    )
    brought = [chunk.choices[0].logprobs async for chunk in stream]
    assert [bool(one) for one in brought] == [False, True, False]
    assert brought[1] and brought[1].content
    assert [(one.token, one.top_logprobs) for one in brought[1].content] == [("B", [])]


def test_an_option_that_is_impossible_has_the_least_logprob_and_no_probabilities_are_refused() -> None:
    choices = (Choice(letter="A", text="Rain"), Choice(letter="B", text="A dog"))
    sure = Answer(question_id="", reply="B", choice=choices[1], probabilities={"A": 0.0, "B": 1.0}, path="lalm")
    whole = build_completion(sure, "lalm", ("", ""), (), name, num_logprobs=1)
    assert whole.choices[0].logprobs
    (letter,) = whole.choices[0].logprobs.content
    assert [(top.token, top.logprob) for top in letter.top_logprobs] == [("B", 0.0)]
    likely = build_completion(sure, "lalm", ("", ""), (), name, num_logprobs=2).choices[0].logprobs
    assert likely
    assert likely.content[0].top_logprobs[1].logprob == -9999.0
    silent = sure.model_copy(update={"probabilities": {}})
    with pytest.raises(Unsupported, match="gave no probabilities"):
        build_completion(silent, "lalm", ("", ""), (), name, num_logprobs=0)


async def test_a_stream_has_no_usage_unless_asked(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    stream = await client.chat.completions.create(model="auto", messages=user(LINES, recording), stream=True)
    assert [chunk.usage async for chunk in stream] == [None, None, None]


async def test_a_stream_ends_with_done(url: str, recording: dict[str, Any], client: AsyncOpenAI) -> None:
    response = await client.chat.completions.with_raw_response.create(
        model="cascade", messages=user(LINES, recording), stream=True
    )
    lines = [line async for line in response.http_response.aiter_lines()]
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [line for line in lines if line][-1] == "data: [DONE]"
