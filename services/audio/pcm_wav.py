"""Plain WAV: linear PCM whose header states the length of its samples, read by libsndfile without any search.

Every other recording is FFmpeg's: this path exists because most uploads are plain WAV, and it is the fastest.
"""

from collections.abc import Iterator
from io import SEEK_CUR, SEEK_END, BytesIO, FileIO
from typing import NamedTuple, TypeAlias

import numpy as np
import soundfile
from numpy.typing import NDArray

Source: TypeAlias = BytesIO | FileIO

BLOCK = 1 << 18  # samples read at a time, all channels together
MOST_CHUNKS = 1000
SUBTYPES = frozenset(["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])


class FrameBlock(NamedTuple):
    """Successive samples at one rate."""

    rate: int
    """Hz."""
    samples: NDArray[np.float32]
    """Shape (num_frames, num_channels)."""


def is_complete_wav(source: Source) -> bool:
    """Whether this is a WAV file with one chunk of samples, all of them there; the place moves to the beginning.

    A length of 0 or beyond the end, a second chunk of samples, or more bytes than are announced, is left to FFmpeg.
    """
    num_bytes = source.seek(0, SEEK_END)
    source.seek(0)
    head = source.read(12)
    num_samples = [0]
    if head[:4] == b"RIFF" and head[8:] == b"WAVE":
        num_samples = list(_measure_data_chunks(source, num_bytes))
    source.seek(0)
    return len(num_samples) == 1 and num_samples[0] > 0


def _measure_data_chunks(source: Source, num_bytes: int) -> Iterator[int]:
    """Yield the bytes of each chunk of samples, 0 for one that ends beyond the file."""
    for _ in range(MOST_CHUNKS):
        head = source.read(8)
        length = int.from_bytes(head[4:], "little")
        if len(head) < 8:
            return
        if head[:4] == b"RIFF":  # another file
            yield 0
        if head[:4] == b"data":
            end = source.tell() + length
            yield length if end <= num_bytes else 0
        source.seek(length + length % 2, SEEK_CUR)


def open_wav(source: Source) -> soundfile.SoundFile | None:
    """Open a plain WAV file; None where it is coded otherwise, or its header is damaged."""
    # By its descriptor libsndfile reads a file itself; else each block is a call back into Python.
    handle = source if isinstance(source, BytesIO) else source.fileno()
    try:
        file = soundfile.SoundFile(handle, closefd=False)
    except (soundfile.LibsndfileError, ValueError):
        return None
    if file.format in {"WAV", "WAVEX"} and file.subtype in SUBTYPES:
        return file
    file.close()
    return None


def read_wav(file: soundfile.SoundFile) -> Iterator[FrameBlock]:
    """Yield the samples."""
    with file:
        while len(block := file.read(max(BLOCK // file.channels, 1), dtype="float32", always_2d=True)):
            yield FrameBlock(file.samplerate, block)
