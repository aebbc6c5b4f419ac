"""Load a recording from a path or bytes as an AudioClip: mono, 16 kHz, finite samples in [-1, 1].

This decodes in this process: right for a person's own files (the command line, training, evaluation), where a
process per clip would cost time without protecting anyone. Untrusted uploads go through `services.audio.decoder_pool`,
except plain WAV.
Memory is bounded by the 16 kHz result.
"""

import mimetypes
from io import BytesIO, FileIO
from pathlib import Path
from stat import S_ISDIR, S_ISFIFO, S_ISREG

import numpy as np
from numpy.typing import NDArray

from services.audio.decoding import (
    MIN_DURATION_S,
    DecodedAudio,
    DecodingLimits,
    decode_audio,
    decode_plain_wav,
)
from services.audio.formats import Source, begins_like_a_recording
from services.audio.pcm_wav import PlainWav
from services.errors import AudioCode, BadAudio
from services.terminal.counts import format_count
from services.types import SAMPLE_RATE, AudioClip

MAX_DURATION_S = 4 * 3600.0  # 0.9 GB of samples
MAX_PIPED_BYTES = 1 << 30  # what comes out of a pipe is held in memory
HEAD = 16  # bytes that tell a recording
BLOCK = 1 << 20  # samples looked at together, so that checks of a long recording need no copy of it
BOUNDS = DecodingLimits(SAMPLE_RATE, MAX_DURATION_S)
OFFSET = 0.005  # of full scale; a constant offset beyond it would be measured as sound


def load(path: Path, *, channel: int | None = None) -> AudioClip:
    """Read a recording from disk; `BadAudio` says why one cannot be used.

    `channel`, counted from 1, is read alone; None: the mix of all.
    """
    require_file(path)
    name = str(path).encode(errors="replace").decode()
    try:
        with path.open("rb", buffering=0) as file:
            if path.is_fifo():
                return decode(_read_pipe(file, name), name=name)
            return _decode(file, name, channel)
    except OSError as error:
        raise BadAudio(f"'{name}' cannot be read: {error.strerror}.") from error


def load_channel(path: Path, channel: int) -> AudioClip:
    """Read one channel of a recording, counted from 1."""
    return load(path, channel=channel)


def require_file(path: Path) -> None:
    """Raise `BadAudio` where there is no recording at `path`, without opening it."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        raise BadAudio(f"No recording at '{path}'.") from None
    except OSError as error:
        raise BadAudio(f"No recording can be at '{path}': {error.strerror}.") from error
    except ValueError as error:  # a NUL
        raise BadAudio(f"No recording can be at {str(path)!r}: {error}.") from error
    if S_ISDIR(status.st_mode):
        raise BadAudio(f"'{path}' is a directory, not a recording.")
    if not (S_ISREG(status.st_mode) or S_ISFIFO(status.st_mode)):
        raise BadAudio(f"'{path}' is a device, not a recording.")
    if status.st_size == 0 and not S_ISFIFO(status.st_mode):
        raise BadAudio(f"'{path}' is empty (0 bytes).", code=AudioCode.EMPTY)


def is_recording(path: Path) -> bool:
    """Say whether a file is a recording: by its name, or where that promises nothing else, by its content."""
    if not path.is_file() or path.name.startswith("."):
        return False
    kind = (mimetypes.guess_type(path.name)[0] or "").partition("/")[0]
    if kind in {"image", "text"}:
        return False
    if kind in {"audio", "video"}:
        return True
    try:
        with path.open("rb") as file:
            return begins_like_a_recording(file.read(HEAD))
    except OSError:
        return False


def decode(data: bytes, *, name: str) -> AudioClip:
    """Read a recording from memory; `name` is what errors call it."""
    if not data:
        raise BadAudio(f"'{name}' is empty (0 bytes).", code=AudioCode.EMPTY)
    return _decode(BytesIO(data), name)


def build_clip(samples: NDArray[np.float32], about: DecodedAudio, name: str) -> AudioClip:
    """Build a clip from samples, shape (num_samples,) at 16 kHz, and what is known of the recording.

    Too few samples are refused, and those that grew beyond what a float32 holds; a constant offset is removed; a peak
    beyond full scale is scaled to it.
    """
    duration_s = len(samples) / SAMPLE_RATE
    if duration_s < MIN_DURATION_S:
        raise BadAudio(
            f"'{name}' lasts {duration_s:.3f} s; the shortest accepted is {MIN_DURATION_S} s.",
            code=AudioCode.TOO_SHORT,
        )
    blocks = [samples[start : start + BLOCK] for start in range(0, len(samples), BLOCK)]
    if num_bad := sum(int(np.count_nonzero(~np.isfinite(block))) for block in blocks):
        raise BadAudio(
            f"'{name}' holds {format_count(num_bad, 'sample')} with no finite number (NaN or infinity).",
            code=AudioCode.NOT_FINITE,
        )
    remarks, offset = about.remarks, float(samples.mean(dtype=np.float64))
    if abs(offset) > OFFSET:
        samples, remarks = samples - np.float32(offset), (*remarks, "offset")
    peak = float(max(samples.max(), -samples.min()))
    samples = samples / np.float32(peak) if peak > 1 else samples
    return AudioClip(samples, about.rate, about.num_channels, remarks)


def read_wav_here(wav: PlainWav, name: str, bounds: DecodingLimits) -> AudioClip:
    """Read a plain WAV file in this process, which is safe whoever sent it."""
    sink = _Samples()
    about = decode_plain_wav(wav, name, bounds, sink)
    return build_clip(np.frombuffer(sink.samples, np.float32), about, name)


def _decode(source: Source, name: str, channel: int | None = None) -> AudioClip:
    sink = _Samples()
    about = decode_audio(source, name, BOUNDS, sink, channel=channel)
    return build_clip(np.frombuffer(sink.samples, np.float32), about, name)


def _read_pipe(file: FileIO, name: str) -> bytes:
    """Read all that comes out of a pipe, as a shell's `<(command)` is one."""
    data = bytearray()
    while block := file.read(BLOCK):
        data += block
        if len(data) > MAX_PIPED_BYTES:
            raise BadAudio(f"'{name}' is a pipe with more than {MAX_PIPED_BYTES >> 20} MiB; write it to a file.")
    return bytes(data)


class _Samples:
    """Keeps the samples in memory, once: joining blocks would for a moment take twice as much."""

    def __init__(self) -> None:
        self.samples = bytearray()

    def write(self, samples: NDArray[np.float32]) -> None:
        """Append samples."""
        self.samples += np.ascontiguousarray(samples).data.cast("B")

    def restart(self) -> None:
        """Drop all samples, because the recording is read again."""
        self.samples.clear()
