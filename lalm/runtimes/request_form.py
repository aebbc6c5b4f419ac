"""Request format of a served LALM: type of the audio part, role of the system prompt, maximum clip length."""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeAlias

from lalm.prompting import format_beside
from lalm.statements import format_statement
from services.clients.chat_audio import AUDIO_PLACE
from services.errors import TooLarge
from services.types import AudioClip, Evidence, Message

PartType: TypeAlias = Literal["input_audio", "input_audio_uri", "audio_url"]

JOINED = "The recording is given in {num_parts} consecutive parts.\n"
NUMBERED, NUMBERED_PARTS = "Recording {number}:", "Recording {number}, in {num_parts} consecutive parts:"
TRANSCRIPT = "Transcript: {text}"
NOTHING_BESIDE = "Listening tools heard nothing that they could name.\n\n"


class RequestForm(NamedTuple):
    """Request format and audio limits of one model."""

    part_type: PartType = "input_audio"
    """`input_audio`: base64 and format, as in OpenAI's API; `input_audio_uri`: a data URI in place of the base64, as
    Alibaba's API wants it; `audio_url`: a data URI, an extension of vLLM."""
    takes_system: bool = True
    """False: the system prompt is put at the start of the user's message."""
    takes_transcript: bool = False
    """Whether each clip is followed by its transcript."""
    max_clip_s: float = math.inf
    """Maximum length of a clip in seconds; the model truncates or refuses longer ones."""
    max_clips: int = 1
    """Maximum number of clips in one prompt: parts of one recording, or of several."""
    max_total_s: float = math.inf
    """Maximum length of all clips of a prompt together in seconds."""
    streams: bool = False
    """Whether its server replies in a stream only."""
    modalities: tuple[str, ...] = ()
    """Modalities requested of the reply, such as text; empty: the server's default."""

    def split_clip(self, clip: AudioClip, name: str) -> tuple[AudioClip, ...]:
        """Split a clip that is too long into equal parts; raise `TooLarge` if a prompt cannot hold all of them."""
        num_parts = max(1, math.ceil(clip.duration_s / self.max_clip_s))
        if num_parts > self.max_clips or clip.duration_s > self.max_total_s:
            raise TooLarge(
                f"The clip lasts {clip.duration_s:.1f} s; the LALM {name!r} hears at most {self._describe_most()}. "
                "Cut it, or take another LALM."
            )
        if num_parts == 1:
            return (clip,)
        ends = [round(part * len(clip.samples) / num_parts) for part in range(num_parts + 1)]
        spans = pairwise(ends)
        return tuple(AudioClip(clip.samples[a:b], clip.source_rate, clip.num_channels) for a, b in spans)

    def split_each(self, clips: Sequence[AudioClip], name: str) -> tuple[tuple[AudioClip, ...], ...]:
        """Split each of several clips as `split_clip` does; raise `TooLarge` if a prompt cannot hold all parts."""
        parts = tuple(self.split_clip(clip, name) for clip in clips)
        total_s = sum(clip.duration_s for clip in clips)
        if sum(map(len, parts)) > self.max_clips or total_s > self.max_total_s:
            raise TooLarge(
                f"The {len(clips)} recordings last {total_s:.1f} s together; the LALM {name!r} hears at most "
                f"{self._describe_most()} in a question. Cut them, or take another LALM."
            )
        return parts

    def _describe_most(self) -> str:
        if math.isfinite(self.max_total_s):
            return f"{self.max_total_s:g} s"
        return f"{self.max_clips} x {self.max_clip_s:g} s = {self.max_clips * self.max_clip_s:g} s"

    def build_messages(
        self,
        messages: tuple[Message, ...],
        transcripts: tuple[str, ...],
        *,
        beside: str = "",
        num_parts: tuple[int, ...] = (),
    ) -> list[dict[str, Any]]:
        """Build the messages of a chat request; the clips are in the last one, before its text.

        Args:
            messages: the prompt, the question last.
            transcripts: one for each part of the clip; of a model that takes none only their number matters.
            beside: evidence about the clip as text, which then includes the transcripts.
            num_parts: of each recording where there are several, which are then numbered; empty: there is one.
        """
        *earlier, last = messages
        instructions = "" if self.takes_system else _join_messages(earlier, "system")
        parts: list[dict[str, Any]] = []
        labels = _label_recordings(num_parts)
        for place, transcript in enumerate(transcripts):
            if place in labels:
                parts.append({"type": "text", "text": labels[place]})
            parts.append(self._build_audio_part())
            if self.takes_transcript and not beside:
                parts.append({"type": "text", "text": TRANSCRIPT.format(text=transcript)})
        note = JOINED.format(num_parts=len(transcripts)) if len(transcripts) > 1 and not num_parts else ""
        parts.append({"type": "text", "text": instructions + note + beside + last.content})
        kept = [message.model_dump() for message in earlier if self.takes_system or message.role != "system"]
        return [*kept, {"role": last.role, "content": parts}]

    def _build_audio_part(self) -> dict[str, Any]:
        if self.part_type == "audio_url":
            return {"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{AUDIO_PLACE}"}}
        prefix = "data:;base64," if self.part_type == "input_audio_uri" else ""
        return {"type": "input_audio", "input_audio": {"data": prefix + AUDIO_PLACE, "format": "wav"}}


def _label_recordings(num_parts: tuple[int, ...]) -> dict[int, str]:
    """Return index of the first part of each recording -> label before it."""
    labels, place = {}, 0
    for number, num in enumerate(num_parts, start=1):
        label = NUMBERED if num == 1 else NUMBERED_PARTS
        labels[place] = label.format(number=number, num_parts=num)
        place += num
    return labels


def format_given(given: tuple[Evidence, ...]) -> str:
    """Format evidence about a clip, with times, for a model that was not trained on a form of its own."""
    end_s = max((one.end_s or one.start_s for one in given), default=0.0)
    beside = format_beside("", [format_statement(one, whole_s=end_s) for one in given])
    return f"{beside.strip()}\n\n" if beside else NOTHING_BESIDE


def put_beside(messages: tuple[Message, ...], given: tuple[Evidence, ...] | None) -> tuple[Message, ...]:
    """Insert evidence before the question of the last message; None: leave the messages as they are."""
    if given is None:
        return messages
    *earlier, last = messages
    return (*earlier, Message(role=last.role, content=format_given(given) + last.content))


def _join_messages(messages: list[Message], role: str) -> str:
    return "".join(f"{message.content}\n" for message in messages if message.role == role)
