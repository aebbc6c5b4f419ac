"""Where an Ogg or FLAC recording begins in a file that begins with something else."""

from io import BytesIO

import numpy as np
import pytest
import soundfile

from services.audio.chaining import Link
from services.audio.resync import find_resumption

NOISE = np.random.default_rng(0).normal(0, 0.1, 30_000)


def write(kind: str) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, NOISE, 16_000, format=kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["FLAC", "OGG"])
def test_a_file_is_found_behind_other_bytes(kind: str) -> None:
    data = b"HTTP/1.1 200 OK\r\n" + write(kind)
    found = find_resumption(BytesIO(data), Link(0, len(data)))
    assert found == (Link(17, len(data)), None)


def test_a_flac_stream_is_taken_up_at_its_first_whole_frame() -> None:
    data = write("FLAC")
    cut = data[len(data) // 2 :]
    found = find_resumption(BytesIO(cut), Link(0, len(cut)))
    assert found is not None and found.format == "flac"
    assert cut[found.link.start : found.link.start + 2] == b"\xff\xf8"
    assert found.link.start < 4096 * 2 + 64  # a frame of noise is as long as its samples


@pytest.mark.parametrize("data", [b"", b"\xff\xf8", bytes(100_000), np.random.default_rng(1).bytes(1_000_000)])
def test_no_sound_begins_in_other_data(data: bytes) -> None:
    assert find_resumption(BytesIO(data), Link(0, len(data))) is None
