"""Load a recording from a path or bytes as an AudioClip: mono, 16 kHz, finite samples in [-1, 1].

This decodes in this process: right for a person's own files (the command line, training, evaluation), where a
process per clip would cost time without protecting anyone. Untrusted uploads go through `services.audio.decoder_pool`.
Memory is bounded by the 16 kHz result.
"""

from io import BytesIO
from pathlib import Path
from stat import S_ISDIR

import numpy as np
from numpy.typing import NDArray

from services.audio.decoding import DecodingLimits, Source, open_audio
from services.errors import AudioCode, BadAudio
from services.types import SAMPLE_RATE, AudioClip

MIN_DURATION_S = 0.01
MAX_DURATION_S = 2 * 3600.0
BOUNDS = DecodingLimits(SAMPLE_RATE, MAX_DURATION_S)


def load(path: Path) -> AudioClip:
    """Read a recording from disk; `BadAudio` says why one cannot be used."""
    require_file(path)
    name = str(path).encode(errors="replace").decode()
    try:
        with path.open("rb", buffering=0) as file:
            return _decode(file, name)
    except OSError as error:
        raise BadAudio(f"'{name}' cannot be read: {error.strerror}.") from error


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
    if status.st_size == 0:
        raise BadAudio(f"'{path}' is empty (0 bytes).", code=AudioCode.EMPTY)


def decode(data: bytes, *, name: str) -> AudioClip:
    """Read a recording from memory; `name` is what errors call it."""
    if not data:
        raise BadAudio(f"'{name}' is empty (0 bytes).", code=AudioCode.EMPTY)
    return _decode(BytesIO(data), name)


def build_clip(samples: NDArray[np.float32], rate: int, num_channels: int, name: str) -> AudioClip:
    """Build a clip from samples, shape (num_samples,) at 16 kHz, of a recording of that rate and channel count.

    Too few samples and samples that are no finite numbers are refused; a peak beyond full scale is scaled to it.
    """
    duration_s = len(samples) / SAMPLE_RATE
    if duration_s < MIN_DURATION_S:
        raise BadAudio(
            f"'{name}' lasts {duration_s:.3f} s; the shortest accepted is {MIN_DURATION_S} s.",
            code=AudioCode.TOO_SHORT,
        )
    if num_bad := int(np.count_nonzero(~np.isfinite(samples))):
        raise BadAudio(
            f"'{name}' holds {num_bad} samples that are not finite numbers (NaN or infinity).",
            code=AudioCode.NOT_FINITE,
        )
    peak = float(np.abs(samples).max())
    return AudioClip(samples / np.float32(peak) if peak > 1 else samples, rate, num_channels)


def _decode(source: Source, name: str) -> AudioClip:
    sound = open_audio(source, name, BOUNDS)
    blocks = list(sound.blocks)
    samples = np.concatenate(blocks) if blocks else np.zeros(0, np.float32)
    return build_clip(samples, sound.rate, sound.num_channels, name)
