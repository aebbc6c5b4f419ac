"""Transcriptions as the real OpenAI client requests and reads them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        yield client


async def write_down(client: AsyncOpenAI, data: bytes, **options: Any) -> Any:  # noqa: ANN401 - as the client types it
    return await client.audio.transcriptions.create(file=("clip.wav", data), **{"model": "whisper-1"} | options)


async def test_json_holds_what_is_said_and_not_which_language(
    client: AsyncOpenAI, tone: Callable[[float], bytes]
) -> None:
    said = await write_down(client, tone(2.4), model="whisper-tiny")
    assert (said.text, said.usage.seconds) == ("Good morning. It rains.", 3)


async def test_verbose_json_has_segments_in_seconds(client: AsyncOpenAI, tone: Callable[[float], bytes]) -> None:
    said = await write_down(
        client, tone(2.5), response_format="verbose_json", timestamp_granularities=["segment"], temperature=0
    )
    assert (said.language, float(said.duration), said.text) == ("en", 2.5, "Good morning. It rains.")
    spans = [(one.start, one.end, one.text) for one in said.segments]
    assert spans == [(0.25, 1.0, "Good morning."), (1.0, 2.5, "It rains.")]
    assert said.segments[0].avg_logprob == -0.693


async def test_subtitles_and_text_are_plain(client: AsyncOpenAI, tone: Callable[[float], bytes]) -> None:
    assert await write_down(client, tone(2.5), response_format="text") == "Good morning. It rains.\n"
    assert await write_down(client, tone(2.5), response_format="srt") == (
        "1\n00:00:00,250 --> 00:00:01,000\nGood morning.\n\n2\n00:00:01,000 --> 00:00:02,500\nIt rains.\n"
    )
    assert await write_down(client, tone(2.5), response_format="vtt") == (
        "WEBVTT\n\n00:00:00.250 --> 00:00:01.000\nGood morning.\n\n00:00:01.000 --> 00:00:02.500\nIt rains.\n"
    )


async def test_silence_has_no_text(client: AsyncOpenAI, tone: Callable[[float], bytes]) -> None:
    silent = await write_down(client, tone(0.5), response_format="verbose_json")
    assert (silent.text, silent.language, silent.segments) == ("", None, [])


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"language": "de"}, "language"),
        ({"prompt": "Names: Ada"}, "prompt"),
        ({"temperature": 0.5}, "temperature"),
        ({"response_format": "diarized_json"}, "response_format"),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities[0]"),
        ({"extra_body": {"beam_size": 5}}, "beam_size"),
    ],
)
async def test_what_would_change_the_text_is_refused_by_name(
    client: AsyncOpenAI, tone: Callable[[float], bytes], options: dict[str, Any], param: str
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await write_down(client, tone(2), **options)
    assert refused.value.param == param


async def test_another_recogniser_is_not_pretended(client: AsyncOpenAI, tone: Callable[[float], bytes]) -> None:
    with pytest.raises(openai.NotFoundError, match=r"'gpt-4o-transcribe'\. Known: whisper-tiny"):
        await write_down(client, tone(2), model="gpt-4o-transcribe")
