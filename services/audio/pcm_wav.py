"""WAV of linear PCM, in two ways: 16 bits in Python and NumPy, where every length is right, and others by libsndfile.

Every other recording is FFmpeg's: these ways exist because most uploads are such files, and they are the fastest. In
the first one no native parser sees the bytes, so a short upload of this kind is safe to read in the service itself, in
a tenth of the time of a confined process. It takes files that are consistent throughout: no byte more or less than
announced, one `fmt ` chunk of the oldest kind, one chunk of samples, and known chunks beside them. The samples are
those that the decoder (`services.audio.decoder_pool`) would give, bit for bit.
"""

import struct
from collections.abc import Iterator
from io import SEEK_CUR, SEEK_END, BytesIO
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray

from services.audio.formats import Source

BLOCK = 1 << 18  # samples read at a time, all channels together
MOST_CHUNKS = 1000
RIFF = struct.Struct("<4sI4s")
CHUNK = struct.Struct("<4sI")
FORMAT = struct.Struct("<HHIIHH")
PCM = 1
SAMPLE_BYTES = 2
FULL_SCALE = np.float32(32768)
IGNORED = frozenset([b"LIST", b"fact", b"JUNK", b"bext"])
MOST_PLAIN_CHUNKS = 16
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


class PlainWav(NamedTuple):
    """Samples of a plain WAV file, where they are."""

    data: bytes
    start: int
    num_frames: int
    num_channels: int
    rate: int
    """Hz."""

    def read(self) -> Iterator[FrameBlock]:
        """Yield the samples in the blocks in which libsndfile would give them."""
        step = max(BLOCK // self.num_channels, 1)
        for first in range(0, self.num_frames, step):
            num_frames = min(step, self.num_frames - first)
            place = self.start + first * self.num_channels * SAMPLE_BYTES
            samples = np.frombuffer(self.data, "<i2", num_frames * self.num_channels, place).astype(np.float32)
            yield FrameBlock(self.rate, samples.reshape(num_frames, self.num_channels) / FULL_SCALE)


def parse_plain_wav(data: bytes) -> PlainWav | None:
    """Return where the samples of a plain WAV file are; None where the file is another one, or not consistent."""
    if len(data) < RIFF.size or RIFF.unpack_from(data) != (b"RIFF", len(data) - CHUNK.size, b"WAVE"):
        return None
    found: dict[bytes, tuple[int, int]] = {}
    place = RIFF.size
    for _ in range(MOST_PLAIN_CHUNKS):
        if place == len(data):
            break
        if place + CHUNK.size > len(data):
            return None
        name, length = CHUNK.unpack_from(data, place)
        place += CHUNK.size
        if name not in IGNORED:
            if name in found:
                return None
            found[name] = (place, length)
        place += length + length % 2
    if place != len(data) or list(found) != [b"fmt ", b"data"]:
        return None
    return _read_format(data, *found[b"fmt "], *found[b"data"])


def _read_format(data: bytes, at: int, size: int, start: int, num_bytes: int) -> PlainWav | None:
    if size != FORMAT.size:
        return None
    tag, num_channels, rate, bytes_per_s, frame_bytes, bits = FORMAT.unpack_from(data, at)
    is_plain = tag == PCM and bits == 8 * SAMPLE_BYTES and frame_bytes == num_channels * SAMPLE_BYTES > 0
    is_consistent = bytes_per_s == rate * frame_bytes and num_bytes > 0
    if not is_plain or not is_consistent or num_bytes % frame_bytes:
        return None
    return PlainWav(data=data, start=start, num_frames=num_bytes // frame_bytes, num_channels=num_channels, rate=rate)
