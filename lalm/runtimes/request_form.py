"""How a served LALM wants to be asked: audio before text, its limits, and what its prompt may hold."""

import math
from itertools import pairwise
from typing import Any, Literal, NamedTuple, TypeAlias

from services.clients.json_api import AUDIO_PLACE
from services.errors import TooLarge
from services.types import AudioClip, Message

PartType: TypeAlias = Literal["input_audio", "audio_url"]

JOINED = "The recording is given in {num_parts} consecutive parts.\n"
TRANSCRIPT = "Transcript: {text}"


class RequestForm(NamedTuple):
    """The request form of one model, and how much it hears at once."""

    part_type: PartType = "input_audio"
    """`input_audio`: base64 beside its format, as OpenAI's API has it; `audio_url`: a data URI, as only vLLM has it."""
    takes_system: bool = True
    """False: what the system prompt says opens the user's message."""
    takes_transcript: bool = False
    """Each clip is followed by its transcript."""
    max_clip_s: float = math.inf
    """Longest clip in seconds; what is longer the model would cut off unheard, or refuse."""
    max_clips: int = 1
    """Clips that one prompt may hold."""

    def split_clip(self, clip: AudioClip, name: str) -> tuple[AudioClip, ...]:
        """Return the clip whole, or as parts of equal length that the model hears one after another."""
        num_parts = max(1, math.ceil(clip.duration_s / self.max_clip_s))
        if num_parts > self.max_clips:
            raise TooLarge(
                f"The clip lasts {clip.duration_s:.1f} s; the LALM {name!r} hears at most {self.max_clips} x "
                f"{self.max_clip_s:g} s = {self.max_clips * self.max_clip_s:g} s. Cut it, or take another LALM."
            )
        if num_parts == 1:
            return (clip,)
        ends = [round(part * len(clip.samples) / num_parts) for part in range(num_parts + 1)]
        spans = pairwise(ends)
        return tuple(AudioClip(clip.samples[a:b], clip.source_rate, clip.num_channels) for a, b in spans)

    def build_messages(self, messages: tuple[Message, ...], transcripts: tuple[str, ...]) -> list[dict[str, Any]]:
        """Return the messages of a request; the clips stand in the last, before its text.

        Args:
            messages: what is asked, the question last.
            transcripts: what is said in each part of the clip; ignored by a model that takes no transcript.
        """
        *earlier, last = messages
        instructions = "" if self.takes_system else _join_messages(earlier, "system")
        parts: list[dict[str, Any]] = []
        for transcript in transcripts:
            parts.append(self._audio_part())
            if self.takes_transcript:
                parts.append({"type": "text", "text": TRANSCRIPT.format(text=transcript)})
        note = JOINED.format(num_parts=len(transcripts)) if len(transcripts) > 1 else ""
        parts.append({"type": "text", "text": instructions + note + last.content})
        kept = [message.model_dump() for message in earlier if self.takes_system or message.role != "system"]
        return [*kept, {"role": last.role, "content": parts}]

    def _audio_part(self) -> dict[str, Any]:
        if self.part_type == "audio_url":
            return {"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{AUDIO_PLACE}"}}
        return {"type": "input_audio", "input_audio": {"data": AUDIO_PLACE, "format": "wav"}}


def _join_messages(messages: list[Message], role: str) -> str:
    return "".join(f"{message.content}\n" for message in messages if message.role == role)
