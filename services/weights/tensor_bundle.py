"""Checkpoint of TensorFlow ("tensor bundle"): reads its float tensors without TensorFlow, and without unpickling.

The index is a sorted string table as LevelDB writes it, whose values are small protocol buffers that say where in the
data file each tensor lies. Sources: tensorflow/core/protobuf/tensor_bundle.proto and core/lib/io/table_format.txt.
"""

import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.errors import ModelError

Floats = NDArray[np.float32]

MAGIC = 0xDB4775248B80FB57  # of a LevelDB table
FOOTER_BYTES, RESTART_BYTES = 48, 4
DT_FLOAT = 1
DTYPE, SHAPE, OFFSET, SIZE = 1, 2, 4, 5  # fields of BundleEntryProto
DIM, DIM_SIZE = 2, 1  # of TensorShapeProto, and of its Dim
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5  # wire types of protocol buffers
WIDTHS = {FIXED64: 8, FIXED32: 4}


class TableBlock(NamedTuple):
    """Where a block of the table lies, in bytes."""

    start: int
    size: int


def read_tensor_bundle(index: Path, data: Path) -> Mapping[str, Floats]:
    """Read the float32 tensors of a checkpoint of one shard: name -> tensor.

    Raises:
        ModelError: the index is not one, or is compressed.
    """
    table, values = index.read_bytes(), data.read_bytes()
    if len(table) < FOOTER_BYTES or int.from_bytes(table[-8:], "little") != MAGIC:
        raise ModelError(f"{index.name} is not the index of a TensorFlow checkpoint.")
    footer = table[-FOOTER_BYTES:]
    _, position = _read_block_place(footer, 0)  # of the meta index
    root, _ = _read_block_place(footer, position)
    tensors: dict[str, Floats] = {}
    for _, place in _list_pairs(table, root):
        for name, entry in _list_pairs(table, _read_block_place(place, 0)[0]):
            fields = dict(_list_fields(entry))
            if name and fields.get(DTYPE) == DT_FLOAT:
                count, start = int(fields[SIZE]) // 4, int(fields.get(OFFSET, 0))
                tensors[name.decode()] = np.frombuffer(values, "<f4", count, start).reshape(_read_shape(entry))
    return tensors


def _read_shape(entry: bytes) -> list[int]:
    shapes = [bytes(value) for field, value in _list_fields(entry) if field == SHAPE and isinstance(value, bytes)]
    dims = [value for shape in shapes for field, value in _list_fields(shape) if field == DIM]
    return [int(dict(_list_fields(dim)).get(DIM_SIZE, 0)) for dim in dims if isinstance(dim, bytes)]


def _list_pairs(table: bytes, place: TableBlock) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block; a key shares its first bytes with the one before."""
    block, kind = table[place.start : place.start + place.size], table[place.start + place.size]
    if kind:
        raise ModelError(f"The index of the checkpoint is compressed (kind {kind}), which is not read.")
    (num_restarts,) = struct.unpack("<I", block[-RESTART_BYTES:])
    end, position, key = len(block) - RESTART_BYTES * (1 + num_restarts), 0, b""
    while position < end:
        shared, position = _read_varint(block, position)
        added, position = _read_varint(block, position)
        length, position = _read_varint(block, position)
        key = key[:shared] + block[position : position + added]
        position += added
        yield key, block[position : position + length]
        position += length


def _list_fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield number and value of the fields of a protocol buffer."""
    position = 0
    while position < len(message):
        tag, position = _read_varint(message, position)
        kind = tag & 7
        if kind == VARINT:
            value, position = _read_varint(message, position)
            yield tag >> 3, value
            continue
        length, position = _read_varint(message, position) if kind == BYTES else (WIDTHS[kind], position)
        yield tag >> 3, message[position : position + length]
        position += length


def _read_block_place(data: bytes, position: int) -> tuple[TableBlock, int]:
    start, position = _read_varint(data, position)
    size, position = _read_varint(data, position)
    return TableBlock(start, size), position


def _read_varint(data: bytes, position: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and the position behind it."""
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return value, position
