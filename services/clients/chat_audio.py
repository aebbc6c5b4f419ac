"""Audio in requests: a clip in base64, as 16-bit WAV encoded once for all questions about it, or as FLAC if long."""

import asyncio
import base64
import wave
from collections import OrderedDict
from io import BytesIO
from typing import Any

from services.types import SAMPLE_RATE, AudioClip

AUDIO_PLACE = "@@earwitness-audio@@"  # stands in a request where the base64 of a clip goes
MAX_CLIPS = 64  # that stay encoded: 27 MB of clips of 10 s
BLOCK = 1 << 20  # samples encoded at a time


def build_audio_part() -> dict[str, Any]:
    """Return the part of a message that holds a clip, with a placeholder for its base64."""
    return {"type": "input_audio", "input_audio": {"data": AUDIO_PLACE, "format": "wav"}}


class ClipEncoder:
    """Encodes clips in threads and caches the latest."""

    def __init__(self) -> None:
        self._encoded: OrderedDict[str, asyncio.Future[bytes]] = OrderedDict()

    async def encode_base64(self, clip: AudioClip) -> bytes:
        """Return the clip as base64 of a WAV file."""
        if clip.sha256 not in self._encoded:
            self._encoded[clip.sha256] = asyncio.ensure_future(asyncio.to_thread(_encode_wav, clip))
            if len(self._encoded) > MAX_CLIPS:
                self._encoded.popitem(last=False)
        self._encoded.move_to_end(clip.sha256)
        # Shielded: cancelling one question must not cancel the encoding for the others.
        return await asyncio.shield(self._encoded[clip.sha256])


async def encode_flac(clip: AudioClip) -> bytes:
    """Return a clip as base64 of a FLAC file, which of an hour of speech has half the bytes of WAV."""
    return await asyncio.to_thread(_encode_flac, clip)


def _encode_flac(clip: AudioClip) -> bytes:
    import soundfile

    buffer = BytesIO()
    with soundfile.SoundFile(buffer, "w", SAMPLE_RATE, 1, "PCM_16", format="FLAC") as file:
        for start in range(0, len(clip.samples), BLOCK):
            file.write(clip.samples[start : start + BLOCK])
    return base64.b64encode(buffer.getbuffer())


def _encode_wav(clip: AudioClip) -> bytes:
    # 2^15, as decoders divide by: a 16-bit recording comes out as it went in.
    pcm = (clip.samples * 32768).round().clip(-32768, 32767).astype("<i2")
    buffer = BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, SAMPLE_RATE, len(pcm), "NONE", "not compressed"))
        file.writeframes(pcm.tobytes())
    return base64.b64encode(buffer.getvalue())
