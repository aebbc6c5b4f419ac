"""Transcriptions as the real OpenAI client requests and reads them."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types.audio import TranscriptionSegment, TranscriptionVerbose

from services.protocols import TranscriptionGuide
from services.scripted.ears import ScriptedEars
from services.scripted.service import ScriptedASR, ScriptedGuidedASR, ScriptedService
from services.types import Evidence, Label


def turn(number: int, start_s: float, end_s: float) -> Evidence:
    text = f"speaker {number}"
    labels = (Label(text=text),)
    return Evidence(
        kind="speaker", source="voice", revision="1", text=text, labels=labels, start_s=start_s, end_s=end_s
    )


TURNS = (turn(1, 0.2, 0.6), turn(2, 0.6, 1.0), turn(1, 1.1, 2.5))


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        yield client


async def write_down(client: AsyncOpenAI, data: bytes, **options: Any) -> Any:  # noqa: ANN401 - as the client types it
    return await client.audio.transcriptions.create(file=("clip.wav", data), **{"model": "whisper-1"} | options)


@pytest.mark.slow
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
    # Validated, as the client itself takes any JSON: each field of OpenAI's is there in its type.
    first = TranscriptionSegment.model_validate(said.segments[0].model_dump())
    assert (first.id, first.seek, first.tokens, first.temperature) == (0, 25, [4, 8, 15], 0.0)
    assert (first.avg_logprob, first.compression_ratio, first.no_speech_prob) == (-0.7, 0.9, 0.01)
    assert TranscriptionVerbose.model_validate(said.model_dump()).segments


async def test_what_an_asr_does_not_know_of_a_segment_is_null(
    client: AsyncOpenAI, tone: Callable[[float], bytes], scripted: ScriptedService
) -> None:
    scripted.ears_for_words = ScriptedASR()
    said = await write_down(client, tone(2.5), response_format="verbose_json")
    first = said.segments[0]
    assert first.avg_logprob == -0.693  # the confidence that it states
    assert (first.seek, first.tokens, first.temperature) == (None, None, None)
    assert (first.compression_ratio, first.no_speech_prob) == (None, None)


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
    ("named", "code"), [("auto", None), ("nb", "no"), ("nb-NO", "no"), ("iw", "he"), ("pt-BR", "pt")]
)
async def test_languages_are_named_as_programs_around_whisper_do(
    client: AsyncOpenAI, tone: Callable[[float], bytes], scripted: ScriptedService, named: str, code: str | None
) -> None:
    asr = scripted.ears_for_words = ScriptedGuidedASR()
    await write_down(client, tone(2.5), language=named, prompt="Ada")
    assert [guide.language for guide in asr.guides] == [code]


async def test_language_prompt_and_words_reach_the_asr(
    client: AsyncOpenAI, tone: Callable[[float], bytes], scripted: ScriptedService
) -> None:
    asr = scripted.ears_for_words = ScriptedGuidedASR()
    said = await write_down(
        client,
        tone(2.5),
        language="German",
        prompt="Names: Ada",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert asr.guides == [TranscriptionGuide(language="de", prompt="Names: Ada", with_words=True, with_details=True)]
    assert (said.language, said.task, len(said.segments)) == ("de", "transcribe", 2)
    assert [(word.word, word.start, word.end) for word in said.words] == [
        ("Good", 0.25, 0.625),
        ("morning.", 0.625, 1.0),
        ("It", 1.0, 1.75),
        ("rains.", 1.75, 2.5),
    ]
    alone = await write_down(
        client, tone(2.5), response_format="verbose_json", timestamp_granularities=["word"], model="gpt-4o-transcribe"
    )
    assert (alone.segments, len(alone.words)) == (None, 4)


async def test_a_translation_is_written_in_english(
    client: AsyncOpenAI, tone: Callable[[float], bytes], scripted: ScriptedService
) -> None:
    asr = scripted.ears_for_words = ScriptedGuidedASR()
    said: Any = await client.audio.translations.create(
        file=("clip.wav", tone(2.4)), model="whisper-1", response_format="verbose_json"
    )
    assert (said.text, said.language, said.model_extra["task"]) == ("Good morning. It rains.", "en", "translate")
    assert asr.guides == [TranscriptionGuide(is_translation=True, with_details=True)]
    assert (
        await client.audio.translations.create(file=("clip.wav", tone(2.4)), model="whisper-1", response_format="text")
        == "Good morning. It rains.\n"
    )


async def test_who_says_what_is_told_by_the_turns_that_words_lie_in(
    client: AsyncOpenAI, tone: Callable[[float], bytes], scripted: ScriptedService
) -> None:
    scripted.ears_for_sounds = ScriptedEars(lambda _, focus: TURNS if focus and focus.topic == "turns" else ())
    said = await write_down(
        client, tone(2.5), model="gpt-4o-transcribe-diarize", response_format="diarized_json", chunking_strategy="auto"
    )
    assert [(one.speaker, one.start, one.end, one.text) for one in said.segments] == [
        ("A", 0.25, 0.625, "Good"),
        ("B", 0.625, 1.0, "morning."),
        ("A", 1.0, 2.5, "It rains."),
    ]
    named = await write_down(
        client, tone(2.5), response_format="diarized_json", extra_body={"known_speaker_names": ["Ada", "Bob"]}
    )
    assert [one.speaker for one in named.segments] == ["Ada", "Bob", "Ada"]


async def test_a_stream_brings_each_segment_and_ends_with_the_whole(
    client: AsyncOpenAI, tone: Callable[[float], bytes], scripted: ScriptedService
) -> None:
    scripted.ears_for_sounds = ScriptedEars(lambda *_: TURNS)
    events = [event async for event in await write_down(client, tone(2.5), model="gpt-4o-transcribe", stream=True)]
    assert [(event.type, getattr(event, "delta", None)) for event in events] == [
        ("transcript.text.delta", "Good morning."),
        ("transcript.text.delta", " It rains."),
        ("transcript.text.done", None),
    ]
    assert events[-1].text == "Good morning. It rains."
    diarised = await write_down(client, tone(2.5), response_format="diarized_json", stream=True)
    assert [event.speaker async for event in diarised if event.type == "transcript.text.segment"] == ["A", "B", "A"]


async def test_what_is_not_done_is_named_in_a_header_or_refused(
    client: AsyncOpenAI, tone: Callable[[float], bytes]
) -> None:
    raw = await client.audio.transcriptions.with_raw_response.create(
        file=("clip.wav", tone(2)), model="whisper-1", temperature=0.5, extra_body={"vad_filter": "true"}
    )
    assert raw.headers["Earwitness-Warnings"] == "Ignored: temperature, vad_filter."
    plain = await client.audio.transcriptions.with_raw_response.create(file=("clip.wav", tone(2)), model="whisper-1")
    assert "Earwitness-Warnings" not in plain.headers


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"language": "tlh"}, "language"),
        ({"temperature": 2}, "temperature"),
        ({"response_format": "xml"}, "response_format"),
        ({"timestamp_granularities": ["phoneme"]}, "timestamp_granularities[0]"),
        ({"response_format": "srt", "stream": True}, "stream"),
        ({"chunking_strategy": "banana"}, "chunking_strategy"),
        ({"chunking_strategy": {"type": "server_vad", "threshold": 2}}, "chunking_strategy"),
        ({"prompt": "x" * 100_001}, None),
        ({"extra_body": {"known_speaker_references": ["data:audio/wav;base64,AA"]}}, "known_speaker_references"),
    ],
)
async def test_what_cannot_be_done_is_refused_by_name(
    client: AsyncOpenAI, tone: Callable[[float], bytes], options: dict[str, Any], param: str | None
) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await write_down(client, tone(2), **options)
    assert refused.value.param == param


async def test_an_asr_that_cannot_be_told_anything_is_not_pretended_to_be(
    client: AsyncOpenAI, tone: Callable[[float], bytes], scripted: ScriptedService
) -> None:
    scripted.ears_for_words = ScriptedASR()
    assert (await write_down(client, tone(2))).text == "Good morning. It rains."
    for options, param in (({"language": "de"}, "language"), ({"prompt": "Ada"}, "prompt")):
        with pytest.raises(openai.BadRequestError, match="cannot be told it") as refused:
            await write_down(client, tone(2), **options)
        assert refused.value.param == param


async def test_another_recogniser_is_not_pretended(client: AsyncOpenAI, tone: Callable[[float], bytes]) -> None:
    with pytest.raises(openai.NotFoundError, match=r"'parakeet'\. Known: whisper-tiny, whisper-1"):
        await write_down(client, tone(2), model="parakeet")


async def test_a_field_that_is_too_large_is_named(client: AsyncOpenAI, tone: Callable[[float], bytes]) -> None:
    with pytest.raises(openai.BadRequestError, match="'prompt' has more than 100000 bytes"):
        await write_down(client, tone(2), prompt="x" * 100_001)


@pytest.mark.parametrize(
    ("options", "ignored"),
    [
        ({"chunking_strategy": "auto"}, None),
        ({"chunking_strategy": {"type": "server_vad", "threshold": 0.5}}, None),
        ({"extra_body": {"chunking_strategy": '{"type": "server_vad"}'}}, None),
        ({"extra_body": {"timestamp_granularities": [""], "include": [""]}}, None),
        ({"response_format": "verbose_json", "timestamp_granularities": ["segment", "segment"]}, None),
        ({"timestamp_granularities": ["word"]}, "timestamp_granularities"),
        ({"response_format": "text", "timestamp_granularities": ["segment"]}, "timestamp_granularities"),
        (
            {"response_format": "verbose_json", "timestamp_granularities": ["word"], "stream": True},
            "timestamp_granularities",
        ),
        ({"extra_body": {"known_speaker_names": ["Ada"]}}, "known_speaker_names"),
    ],
)
async def test_a_field_is_told_of_where_the_transcript_has_not_what_it_asks_for(
    client: AsyncOpenAI, tone: Callable[[float], bytes], options: dict[str, Any], ignored: str | None
) -> None:
    raw = await client.audio.transcriptions.with_raw_response.create(
        file=("clip.wav", tone(2)), model="whisper-1", **options
    )
    assert raw.headers.get("Earwitness-Warnings") == (ignored and f"Ignored: {ignored}.")
