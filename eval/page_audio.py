"""The clips inside a report: mono MP3 as base64, each once however many items are about it."""

import base64
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path

import av
import numpy as np

from services.audio import load
from services.errors import BadAudio
from services.types import SAMPLE_RATE, AudioClip, Value

BIT_RATE = 32_000  # bits a second: 4 kB for a second of audio, 5.3 kB as base64


class PageClip(Value):
    """A clip as the page holds it."""

    mp3: str | None
    """Base64; None where the clip is left out."""
    duration_s: float | None
    problem: str = ""
    """Why it is left out."""


def page_clips(paths: Iterable[Path], max_audio_mb: float) -> dict[str, PageClip]:
    """Encode the clips in order; those that are missing, damaged or over the limit say so."""
    clips: dict[str, PageClip] = {}
    left = max_audio_mb * 1e6
    for path in paths:
        clip = (
            _page_clip(path)
            if left > 0
            else PageClip(mp3=None, duration_s=None, problem="left out to keep the page small")
        )
        left -= len(clip.mp3 or "")
        clips[str(path)] = clip
    return clips


def _page_clip(path: Path) -> PageClip:
    try:
        clip = load(path)
    except BadAudio as error:
        return PageClip(mp3=None, duration_s=None, problem=str(error))
    return PageClip(mp3=base64.b64encode(mp3(clip)).decode(), duration_s=round(clip.duration_s, 3))


def mp3(clip: AudioClip) -> bytes:
    """Return the clip as an MP3 file."""
    buffer = BytesIO()
    with av.open(buffer, "w", format="mp3") as container:
        stream = container.add_stream("mp3", rate=SAMPLE_RATE, options={"b": str(BIT_RATE)})
        stream.layout = "mono"
        pcm = np.clip(np.rint(clip.samples * 32767), -32768, 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(pcm[np.newaxis], format="s16p", layout="mono")
        frame.rate = SAMPLE_RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()
