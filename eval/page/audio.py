"""The clips inside a report: mono MP3 as base64, each once however many items are about it."""

import base64
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np

from services.audio.load import load, require_file
from services.errors import BadAudio
from services.types import SAMPLE_RATE, AudioClip, Value

BIT_RATE = 32_000  # bits a second: 4 kB for a second of audio, 5.3 kB as base64


class ClipFile(NamedTuple):
    """Where a clip lies, and what its benchmark calls it."""

    path: Path
    audio: str


class PageClip(Value):
    """A clip as the page holds it."""

    mp3: str | None
    """Base64; None where the clip is left out."""
    duration_s: float | None
    problem: str = ""
    """Why it is left out."""
    is_over: bool = False
    """Whether that is the limit, and not the recording."""


def encode_clips(files: Iterable[ClipFile], max_audio_mb: float) -> tuple[PageClip, ...]:
    """Encode the clips in order, up to the first that does not fit; those left out say why.

    `max_audio_mb` counts the base64 text, in millions of bytes.
    """
    clips: list[PageClip] = []
    left, is_full = max_audio_mb * 1e6, max_audio_mb <= 0
    problem = f"The page holds {max_audio_mb:g} MB of clips at most."
    over = PageClip(mp3=None, duration_s=None, problem=problem, is_over=True)
    for file in files:
        clip = (_find_problem(file) or over) if is_full else _encode_clip(file)
        if len(clip.mp3 or "") > left:
            clip, is_full = over, True
        left -= len(clip.mp3 or "")
        clips.append(clip)
    return tuple(clips)


def _find_problem(file: ClipFile) -> PageClip | None:
    try:
        require_file(file.path)
    except BadAudio as error:
        return _report_unusable(file, error)
    return None


def _encode_clip(file: ClipFile) -> PageClip:
    try:
        clip = load(file.path)
    except BadAudio as error:
        return _report_unusable(file, error)
    return PageClip(mp3=base64.b64encode(encode_mp3(clip)).decode(), duration_s=round(clip.duration_s, 3))


def _report_unusable(file: ClipFile, error: BadAudio) -> PageClip:
    # A page is passed on: it names the clip as the benchmark does, not the folders of this machine.
    return PageClip(mp3=None, duration_s=None, problem=str(error).replace(str(file.path), file.audio))


def encode_mp3(clip: AudioClip) -> bytes:
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
