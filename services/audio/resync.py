"""Resynchronisation: where sound begins in a file that begins with something else, or in the middle of a stream.

FFmpeg looks for the frames of MP3 and AAC by itself. Ogg and FLAC it reads from their first byte on only, unless the
file's name tells the format.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from services.audio.chaining import FLAC_HEAD, Link
from services.audio.formats import Source

LOOKED_AT = 1 << 20  # bytes
OGG_HEAD = rb"OggS\0\x02"  # a page that begins a stream
FILE_HEAD = re.compile(FLAC_HEAD.pattern + b"|" + OGG_HEAD)
FLAC_SYNC = re.compile(rb"\xff[\xf8\xf9]")
LONGEST_HEADER = 16  # bytes
RESERVED_RATE, LAST_CHANNELS, RESERVED_SIZE = 15, 10, 3  # codes in a frame's header (RFC 9639, section 9.1)
CRC_POLYNOMIAL = 0x07


class Resumption(NamedTuple):
    """Where to read on, and the name of the format where its content would not tell."""

    link: Link
    format: str | None


def find_resumption(source: Source, link: Link) -> Resumption | None:
    """Return where an Ogg or FLAC file begins within a link, or else the first FLAC frame; the place moves."""
    source.seek(link.start)
    data = source.read(min(LOOKED_AT, link.end - link.start)) or b""
    if begin := FILE_HEAD.search(data):
        return Resumption(Link(link.start + begin.start(), link.end), None)
    frames = list(_find_flac_frames(data))
    for at in frames:
        if sum(data[other + 1] == data[at + 1] and data[other + 3] == data[at + 3] for other in frames) > 1:
            return Resumption(Link(link.start + at, link.end), "flac")
    return None


def _find_flac_frames(data: bytes) -> Iterator[int]:
    """Yield where there is a header of a FLAC frame, by its checksum; one in 500 is there by chance."""
    for sync in FLAC_SYNC.finditer(data):
        header = data[sync.start() : sync.start() + LONGEST_HEADER]
        size = _measure_header(header)
        if 0 < size < len(header) and _compute_crc(header[:size]) == header[size]:
            yield sync.start()


def _measure_header(header: bytes) -> int:
    """Return the length of a FLAC frame's header without its checksum; 0 where it is none."""
    if len(header) < LONGEST_HEADER:
        return 0
    block, rate = header[2] >> 4, header[2] & 15
    channels, size = header[3] >> 4, header[3] >> 1 & 7
    if block == 0 or rate == RESERVED_RATE or channels > LAST_CHANNELS or size == RESERVED_SIZE or header[3] & 1:
        return 0
    number_size = max(8 - (~header[4] & 0xFF).bit_length(), 1)  # of the frame's number, coded as in UTF-8
    return 4 + number_size + {6: 1, 7: 2}.get(block, 0) + {12: 1, 13: 2, 14: 2}.get(rate, 0)


def _compute_crc(data: bytes) -> int:
    """Compute the CRC-8 of a FLAC frame's header."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (CRC_POLYNOMIAL if crc & 0x80 else 0)) & 0xFF
    return crc
