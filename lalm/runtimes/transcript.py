"""Transcript of a clip for a LALM that was trained to read one after the audio."""

from lalm.prompting import MAX_TRANSCRIPT_CHARS
from services.longform.hearing import shift_times
from services.longform.split import split
from services.protocols import ASR
from services.types import AudioClip, Evidence


async def transcribe(asr: ASR | None, clip: AudioClip) -> tuple[Evidence, ...]:
    """Return the transcript by the ASR, without its other statements; empty without an ASR.

    Of a long recording only the first parts are transcribed, as many as a prompt has room for.
    """
    said: list[Evidence] = []
    for part in await split(clip) if asr else ():
        heard = await asr.transcribe(part.clip) if asr else ()
        said += [shift_times(one, part) for one in heard if one.kind == "transcript"]
        if sum(len(one.text) for one in said) >= MAX_TRANSCRIPT_CHARS:
            break
    return tuple(said)
