"""A recording, as a path or as bytes, becomes an AudioClip: mono, 16 kHz, finite samples in [-1, 1].

WAV, FLAC, Ogg (Vorbis, Opus) and MP3 are read by libsndfile; MP4/M4A, WebM and raw AAC, told by
their first bytes, by FFmpeg. Both stream, so memory is bounded by the 16 kHz result.
"""

from collections.abc import Iterator
from io import BytesIO, FileIO
from pathlib import Path
from stat import S_ISDIR
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from services.errors import BadAudio, TooLarge
from services.types import SAMPLE_RATE, AudioClip

if TYPE_CHECKING:
    from av.container import InputContainer

Source: TypeAlias = BytesIO | FileIO

MIN_DURATION_S = 0.01
MAX_DURATION_S = 2 * 3600.0
MIN_RATE, MAX_RATE = 1_000, 768_000  # Hz; a header that claims less would blow one second up to hours
BLOCK = 1 << 18  # samples decoded at a time, all channels together
FORMATS = "WAV, FLAC, Ogg (Vorbis or Opus), MP3, M4A, AAC and WebM"


class Span(NamedTuple):
    """A stretch of a clip that is analysed at once."""

    start_s: float
    clip: AudioClip


class _Stream(NamedTuple):
    """Decoded audio on its way: blocks of shape (num_frames, num_channels)."""

    rate: int
    num_channels: int
    blocks: Iterator[NDArray[np.float32]]


def load(path: Path) -> AudioClip:
    """Read a recording from disk; `BadAudio` says why one cannot be used."""
    require(path)
    name = str(path).encode(errors="replace").decode()
    try:
        with path.open("rb", buffering=0) as file:
            return _clip(file, name)
    except OSError as error:
        raise BadAudio(f"'{name}' cannot be read: {error.strerror}.") from error


def require(path: Path) -> None:
    """Raise `BadAudio` where there is no recording at `path`, without opening it."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise BadAudio(f"No recording at '{path}'.") from None
    except OSError as error:
        raise BadAudio(f"No recording can be at '{path}': {error.strerror}.") from error
    if S_ISDIR(status.st_mode):
        raise BadAudio(f"'{path}' is a directory, not a recording.")
    if status.st_size == 0:
        raise BadAudio(f"'{path}' is empty (0 bytes).")


def decode(data: bytes, *, name: str) -> AudioClip:
    """Read a recording from memory; `name` is what errors call it."""
    if not data:
        raise BadAudio(f"'{name}' is empty (0 bytes).")
    return _clip(BytesIO(data), name)


def segments(clip: AudioClip, window_s: float) -> Iterator[Span]:
    """Yield consecutive spans of at most `window_s` seconds that together cover the clip.

    A last span of under a tenth of the window is joined to the one before it.
    """
    window = round(window_s * SAMPLE_RATE)
    starts = list(range(0, len(clip.samples), window))
    if len(starts) > 1 and len(clip.samples) - starts[-1] < window // 10:
        starts.pop()
    for start, end in zip(starts, [*starts[1:], len(clip.samples)], strict=True):
        part = AudioClip(clip.samples[start:end], source_rate=clip.source_rate, num_channels=clip.num_channels)
        yield Span(start / SAMPLE_RATE, part)


def _clip(source: Source, name: str) -> AudioClip:
    head = source.read(16)
    source.seek(0)
    stream = _ffmpeg(source, name) if _needs_ffmpeg(head) else _sndfile(source, name)
    samples = _resample(stream, name)
    duration_s = len(samples) / SAMPLE_RATE
    if duration_s < MIN_DURATION_S:
        raise BadAudio(f"'{name}' lasts {duration_s:.3f} s; the shortest accepted is {MIN_DURATION_S} s.")
    if num_bad := int(np.count_nonzero(~np.isfinite(samples))):
        raise BadAudio(f"'{name}' holds {num_bad} samples that are not finite numbers (NaN or infinity).")
    peak = float(np.abs(samples).max())
    return AudioClip(samples / np.float32(peak) if peak > 1 else samples, stream.rate, stream.num_channels)


def _resample(stream: _Stream, name: str) -> NDArray[np.float32]:
    if not MIN_RATE <= stream.rate <= MAX_RATE:
        raise BadAudio(f"'{name}' has {stream.rate} samples a second; accepted are {MIN_RATE} to {MAX_RATE}.")
    # At the right rate already soxr would give back every sample as it is, in a third of the time that loading takes.
    resampler = None if stream.rate == SAMPLE_RATE else soxr.ResampleStream(stream.rate, SAMPLE_RATE, 1, "float32")
    longest = int(MAX_DURATION_S * SAMPLE_RATE)
    parts: list[NDArray[np.float32]] = []
    num_samples = 0
    for block in stream.blocks:
        mono = block[:, 0] if stream.num_channels == 1 else block.mean(axis=1, dtype=np.float32)
        parts.append(mono if resampler is None else resampler.resample_chunk(mono))
        num_samples += len(parts[-1])
        if num_samples > longest:
            raise TooLarge(f"'{name}' lasts longer than the longest accepted, {MAX_DURATION_S:.0f} s.")
    if resampler is not None:
        parts.append(resampler.resample_chunk(np.zeros(0, np.float32), last=True))
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def _sndfile(source: Source, name: str) -> _Stream:
    # By its descriptor libsndfile reads a file itself; else each block is a call back into Python.
    handle = source if isinstance(source, BytesIO) else source.fileno()
    try:
        file = soundfile.SoundFile(handle, closefd=False)
    except (soundfile.LibsndfileError, ValueError) as error:
        raise BadAudio(f"'{name}' is no audio that can be read. Readable: {FORMATS}.") from error
    return _Stream(file.samplerate, file.channels, _sndfile_blocks(file, name))


def _sndfile_blocks(file: soundfile.SoundFile, name: str) -> Iterator[NDArray[np.float32]]:
    with file:
        try:
            while len(block := file.read(BLOCK // file.channels, dtype="float32", always_2d=True)):
                yield block
        except soundfile.LibsndfileError as error:
            raise BadAudio(f"'{name}' is damaged: {error.error_string}") from error


def _needs_ffmpeg(head: bytes) -> bool:
    is_mp4, is_webm = head[4:8] == b"ftyp", head[:4] == b"\x1a\x45\xdf\xa3"
    is_adts = len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0
    return is_mp4 or is_webm or is_adts


def _ffmpeg(source: Source, name: str) -> _Stream:
    import av

    try:
        container = av.open(source, "r", metadata_errors="ignore")
    except (av.FFmpegError, ValueError) as error:
        raise BadAudio(f"'{name}' is no audio that can be read. Readable: {FORMATS}.") from error
    if not container.streams.audio:
        container.close()
        raise BadAudio(f"'{name}' has no audio track.")
    track = container.streams.audio[0]
    return _Stream(track.rate or 0, track.channels, _ffmpeg_blocks(container, name))


def _ffmpeg_blocks(container: "InputContainer", name: str) -> Iterator[NDArray[np.float32]]:
    import av

    planar = av.AudioResampler(format="fltp")
    with container:
        try:
            for frame in container.decode(audio=0):
                for part in planar.resample(frame):
                    yield part.to_ndarray().T.astype(np.float32, copy=False)
        except av.FFmpegError as error:
            raise BadAudio(f"'{name}' is damaged: {error.strerror}") from error
