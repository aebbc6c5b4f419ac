"""Checkpoints of TensorFlow: what is read of a table that is written here byte by byte, and what is refused."""

import struct
from pathlib import Path

import numpy as np
import pytest

from services.errors import ModelError
from services.weights.tensor_bundle import MAGIC, read_tensor_bundle

FLOAT, INT64 = 1, 9


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def entry(shape: tuple[int, ...], offset: int, *, dtype: int = FLOAT) -> bytes:
    dims = b"".join(b"\x12" + varint(len(b"\x08" + varint(n))) + b"\x08" + varint(n) for n in shape)
    size = 4 * int(np.prod(shape, dtype=int))
    fields = b"\x08" + varint(dtype) + b"\x12" + varint(len(dims)) + dims
    return fields + b"\x20" + varint(offset) + b"\x28" + varint(size) + b"\x35" + struct.pack("<I", 12345)


def block(pairs: list[tuple[bytes, bytes]]) -> bytes:
    out, before = b"", b""
    for key, value in pairs:
        shared = next(
            (n for n, (a, b) in enumerate(zip(key, before, strict=False)) if a != b), min(len(key), len(before))
        )
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return out + struct.pack("<II", 0, 1)


def write_bundle(folder: Path, pairs: list[tuple[bytes, bytes]], data: bytes, *, kind: int = 0) -> tuple[Path, Path]:
    body = block(pairs)
    table = body + bytes([kind]) + b"crc_"
    place = varint(0) + varint(len(body))
    root_start, root = len(table), block([(b"zz", place)])
    table += root + b"\0crc_"
    footer = (varint(0) + varint(0) + varint(root_start) + varint(len(root))).ljust(40, b"\0")
    index, values = folder / "a.index", folder / "a.data"
    index.write_bytes(table + footer + MAGIC.to_bytes(8, "little"))
    values.write_bytes(data)
    return index, values


def test_tensors_are_read_by_name_shape_and_place(tmp_path: Path) -> None:
    first, second = np.arange(6, dtype="<f4").reshape(2, 3), np.array([7.5, -1.0] * 100, "<f4")
    pairs = [
        (b"", b"\x08\x01"),  # the header
        (b"conv/bias", entry((200,), 24)),
        (b"conv/kernel", entry((2, 3), 0)),
        (b"conv/step", entry((1,), 0, dtype=INT64)),
    ]
    found = read_tensor_bundle(*write_bundle(tmp_path, pairs, first.tobytes() + second.tobytes()))
    assert sorted(found) == ["conv/bias", "conv/kernel"]
    np.testing.assert_array_equal(found["conv/kernel"], first)
    np.testing.assert_array_equal(found["conv/bias"], second)


def test_a_scalar_has_no_shape(tmp_path: Path) -> None:
    found = read_tensor_bundle(*write_bundle(tmp_path, [(b"power", entry((), 0))], np.float32(3.0).tobytes()))
    assert found["power"].shape == () and found["power"] == 3.0


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04" * 40])
def test_another_file_is_refused(tmp_path: Path, content: bytes) -> None:
    index, data = write_bundle(tmp_path, [(b"a", entry((1,), 0))], b"\0\0\0\0")
    index.write_bytes(content)
    with pytest.raises(ModelError, match="not the index of a TensorFlow checkpoint"):
        read_tensor_bundle(index, data)


def test_a_compressed_index_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"compressed \(kind 1\)"):
        read_tensor_bundle(*write_bundle(tmp_path, [(b"a", entry((1,), 0))], b"\0\0\0\0", kind=1))
