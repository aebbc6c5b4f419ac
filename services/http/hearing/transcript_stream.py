"""A streamed transcript in the events of OpenAI's API: the segments of each part of the recording once it is heard."""

import math
from collections.abc import AsyncIterator, Sequence
from typing import Literal

from services.http.events.stream import EventSink
from services.http.hearing.diarisation import SpeakerSegment, SpeakerSpan, attribute_speakers
from services.http.hearing.transcription_form import TranscriptionForm
from services.protocols import SpokenSegment
from services.types import Value


class AudioUsage(Value):
    """Seconds of audio that were transcribed."""

    type: Literal["duration"] = "duration"
    seconds: int

    @classmethod
    def from_seconds(cls, duration_s: float) -> "AudioUsage":
        """Count the seconds that have begun."""
        return cls(seconds=math.ceil(duration_s))


class TranscriptEvent(Value):
    """An event of a streamed transcript."""

    type: Literal["transcript.text.delta", "transcript.text.done"]
    delta: str | None = None
    text: str | None = None
    usage: AudioUsage | None = None


async def send_transcript(
    events: EventSink,
    heard: AsyncIterator[Sequence[SpokenSegment]],
    *,
    form: TranscriptionForm,
    speakers: Sequence[SpeakerSpan],
    duration_s: float,
) -> None:
    """Send a transcript as it is heard: of each part the segments, where the format has them, then each text.

    Args:
        events: takes it.
        heard: the segments of each part, in order.
        form: says which format.
        speakers: who speaks when, for `diarized_json`.
        duration_s: of the recording.
    """
    texts: list[str] = []
    num_segments = 0
    async for said in heard:
        segments = _make_segments(said, speakers, form, num_segments)
        num_segments += len(segments)
        for segment in segments:
            events.send(segment, exclude_none=True)
        for one in said:
            delta = f" {one.text}" if texts else one.text
            texts.append(one.text)
            events.send(TranscriptEvent(type="transcript.text.delta", delta=delta), exclude_none=True)
    usage = AudioUsage.from_seconds(duration_s)
    events.send(TranscriptEvent(type="transcript.text.done", text=" ".join(texts), usage=usage), exclude_none=True)


def _make_segments(
    said: Sequence[SpokenSegment], speakers: Sequence[SpeakerSpan], form: TranscriptionForm, first: int
) -> tuple[SpeakerSegment, ...]:
    if form.response_format == "diarized_json":
        return attribute_speakers(said, speakers, first=first)
    if form.response_format != "verbose_json":
        return ()
    return tuple(
        SpeakerSegment(id=f"seg_{number:03}", start=one.start_s, end=one.end_s, text=one.text)
        for number, one in enumerate(said, first)
    )
