"""Transcript of a clip for a LALM that was trained to read one after the audio."""

from services.protocols import ASR
from services.types import AudioClip, Evidence


async def transcribe(asr: ASR | None, clip: AudioClip) -> tuple[Evidence, ...]:
    """Return the transcript by the ASR, without what else it states; nothing where there is no ASR."""
    said = await asr.transcribe(clip) if asr else ()
    return tuple(statement for statement in said if statement.kind == "transcript")
