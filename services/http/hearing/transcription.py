"""Transcription and translation: what is said in a recording, in the formats of OpenAI's API, whole or streamed."""

import math
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Literal, TypeVar

from fastapi import Response
from fastapi.responses import PlainTextResponse

from services.errors import UnknownName, Unsupported
from services.http.access.limits import Limits
from services.http.clips import open_clip
from services.http.events.stream import EventSink
from services.http.hearing.diarisation import SpeakerSegment, SpeakerSpan, attribute_speakers, find_speakers
from services.http.hearing.timed_text import TimedLine, format_srt, format_vtt
from services.http.hearing.transcript_stream import AudioUsage, send_transcript
from services.http.hearing.transcription_form import USUAL_NAMES, TranscriptionForm, TranscriptionRequest
from services.http.responses import make_json_response
from services.http.service import Service
from services.longform.split import ClipPart, split
from services.protocols import ASR, GuidableASR, SpokenSegment, SpokenWord, TranscriptionGuide
from services.telemetry.request_log import read_request_facts
from services.types import AudioClip, Value

REMARKS = "Earwitness-Remarks"  # header: codes of what is to be said about how the recording was read
WARNINGS = "Earwitness-Warnings"  # header: what of the request was ignored
FRAMES_PER_S = 100  # that `seek` counts

Timed = TypeVar("Timed", SpokenSegment, SpokenWord)


class Transcription(Value):
    """The transcript."""

    text: str
    usage: AudioUsage


class Segment(Value):
    """A stretch of speech; what the ASR does not know of it is None."""

    id: int
    seek: int | None = None
    """Begin of the window that was decoded, in frames of 10 ms."""
    start: float
    end: float
    """Seconds."""
    text: str
    tokens: tuple[int, ...] | None = None
    """In the vocabulary of the ASR."""
    temperature: float | None = None
    """Of the sampling: 0 where nothing was drawn at random, whatever was asked for."""
    avg_logprob: float | None = None
    """Mean log-probability of a token in the window."""
    compression_ratio: float | None = None
    """Bytes of the window's text to those of it when compressed."""
    no_speech_prob: float | None = None
    """Probability that the window holds no speech."""
    language: str | None
    """ISO 639-1 code; a recording may have several."""


class TranscribedWord(Value):
    """A word with its times in seconds."""

    word: str
    start: float
    end: float


class VerboseTranscription(Transcription):
    """The transcript with its segments and its language."""

    task: Literal["transcribe", "translate"] = "transcribe"
    language: str | None
    """ISO 639-1 code of the language of most of the speech; None where there is none, or the ASR gives none."""
    duration: float
    segments: tuple[Segment, ...] | None
    """None where words alone were asked for."""
    words: tuple[TranscribedWord, ...] | None = None


class DiarizedTranscription(Transcription):
    """The transcript with who says what."""

    task: Literal["transcribe"] = "transcribe"
    duration: float
    segments: tuple[SpeakerSegment, ...]


async def transcribe(
    service: Service, limits: Limits, recording: TranscriptionRequest, events: EventSink
) -> Response | None:
    """Transcribe a recording, or translate what is said in it; a stream goes to `events`, part by part."""
    asr, form = await service.find_asr(), recording.form
    known = (asr.name, *USUAL_NAMES)
    if service.resolve(form.model) not in known:
        raise UnknownName("recogniser", form.model, known)
    read_request_facts().model = asr.name
    guide = form.guide(is_translation=recording.is_translation)
    _check_guide(asr, guide)
    clip = await open_clip(recording.sound, limits)
    headers = {}
    if clip.remarks:
        headers[REMARKS] = ", ".join(clip.remarks)
    if recording.warnings:
        headers[WARNINGS] = " ".join(recording.warnings).encode("ascii", "backslashreplace").decode()
    heard = _hear_parts(asr, await split(clip), guide)
    if form.stream:
        events.headers.update(headers)
        speakers = await _find_speakers(service, clip, form)
        await send_transcript(events, heard, form=form, speakers=speakers, duration_s=clip.duration_s)
        return None
    said = tuple([segment async for part in heard for segment in part])
    value = await _build(service, clip, said, recording)
    if value is not None:
        return make_json_response(value, headers=headers)
    return PlainTextResponse(_format_plain(said, form), headers=headers)


def _check_guide(asr: ASR, guide: TranscriptionGuide) -> None:
    """Refuse what an ASR that cannot be guided would ignore."""
    if _find_guidable(asr) is None:
        for name, wanted in (
            ("language", guide.language),
            ("prompt", guide.prompt),
            ("timestamp_granularities", guide.with_words),
            ("model", guide.is_translation),
        ):
            if wanted:
                raise Unsupported(f"{name}: the ASR {asr.name!r} cannot be told it; leave it out.", param=name)


def _find_guidable(asr: ASR) -> GuidableASR | None:
    return asr if isinstance(asr, GuidableASR) and asr.takes_guide else None


async def _hear_parts(
    asr: ASR, parts: Sequence[ClipPart], guide: TranscriptionGuide
) -> AsyncIterator[list[SpokenSegment]]:
    """Yield what is said in each part once that is known."""
    for part in parts:
        yield await _hear(asr, part, guide)


async def _hear(asr: ASR, part: ClipPart, guide: TranscriptionGuide) -> list[SpokenSegment]:
    """Return what is said in a part of the recording, with its times in the whole."""
    guidable = _find_guidable(asr)
    if guidable is not None and guide != TranscriptionGuide():
        said = await guidable.transcribe_guided(part.clip, guide)
    else:
        statements = [one for one in await asr.transcribe(part.clip) if one.kind == "transcript"]
        said = tuple(
            SpokenSegment(
                text=one.text,
                start_s=one.start_s,
                end_s=part.clip.duration_s if one.end_s is None else one.end_s,
                confidence=one.confidence,
                language=one.language,
            )
            for one in statements
        )
    return [_shift(segment, part.start_s) for segment in said]


def _shift(segment: SpokenSegment, by_s: float) -> SpokenSegment:
    words = tuple(_move(word, by_s) for word in segment.words)
    details = segment.details
    if details is not None:
        details = details.model_copy(update={"seek": details.seek + round(by_s * FRAMES_PER_S)})
    return _move(segment, by_s).model_copy(update={"words": words, "details": details})


def _move(timed: Timed, by_s: float) -> Timed:
    return timed.model_copy(update={"start_s": round(timed.start_s + by_s, 3), "end_s": round(timed.end_s + by_s, 3)})


async def _build(
    service: Service, clip: AudioClip, said: tuple[SpokenSegment, ...], recording: TranscriptionRequest
) -> Value | None:
    """Return the transcript as JSON; None where another format was asked for."""
    form, text, usage = recording.form, join_text(said), AudioUsage.from_seconds(clip.duration_s)
    if form.response_format == "json":
        return Transcription(text=text, usage=usage)
    if form.response_format == "diarized_json":
        segments = attribute_speakers(said, await _find_speakers(service, clip, form))
        return DiarizedTranscription(text=text, usage=usage, duration=round(clip.duration_s, 3), segments=segments)
    if form.response_format != "verbose_json":
        return None
    return VerboseTranscription(
        text=text,
        usage=usage,
        task="translate" if recording.is_translation else "transcribe",
        language=_find_main_language(said),
        duration=round(clip.duration_s, 3),
        segments=tuple(_list_segments(said)) if form.has_segments else None,
        words=tuple(_list_words(said)) if "word" in form.timestamp_granularities else None,
    )


def join_text(said: tuple[SpokenSegment, ...]) -> str:
    """Return a transcript as one text."""
    return " ".join(one.text for one in said)


def _list_segments(said: tuple[SpokenSegment, ...]) -> Iterator[Segment]:
    for number, one in enumerate(said):
        logprob = round(math.log(one.confidence), 3) if one.confidence else None
        known = one.details.model_dump() if one.details else {"avg_logprob": logprob}
        own = {"id": number, "start": one.start_s, "end": one.end_s, "text": one.text, "language": one.language}
        yield Segment.model_validate(own | known)


def _list_words(said: tuple[SpokenSegment, ...]) -> Iterator[TranscribedWord]:
    for one in said:
        yield from (TranscribedWord(word=word.text, start=word.start_s, end=word.end_s) for word in one.words)


def _find_main_language(said: tuple[SpokenSegment, ...]) -> str | None:
    """Return the language that is spoken for the longest time; None where no segment has one."""
    seconds: dict[str, float] = {}
    for one in said:
        if one.language:
            seconds[one.language] = seconds.get(one.language, 0.0) + one.end_s - one.start_s
    return max(seconds, key=seconds.__getitem__, default=None)


def _format_plain(said: tuple[SpokenSegment, ...], form: TranscriptionForm) -> str:
    if form.response_format == "text":
        return join_text(said) + "\n"
    lines = [TimedLine(one.start_s, one.end_s, one.text) for one in said]
    return format_srt(lines) if form.response_format == "srt" else format_vtt(lines)


async def _find_speakers(service: Service, clip: AudioClip, form: TranscriptionForm) -> tuple[SpeakerSpan, ...]:
    if form.response_format != "diarized_json":
        return ()
    return await find_speakers(await service.find_captioner(), clip, form.known_speaker_names)
