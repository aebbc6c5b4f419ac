"""Chained and joined files: find the recordings that were put one behind the other in a file.

An Ogg file may be a chain of streams with parameters of their own (RFC 3533, section 4), and WAV and FLAC files are
joined by mistake. Each link is decoded by itself. Joined MP3 and AAC files need nothing: their frames go on.
"""

import re
from collections.abc import Iterator
from io import SEEK_END
from typing import NamedTuple

from services.audio.formats import Source

MOST_LINKS = 1000  # what follows them is read with the last
CHUNK = 1 << 20  # bytes that are searched at a time
PAGE = re.compile(rb"OggS\0([\0-\7])", re.DOTALL)
PAGE_HEAD = 6  # bytes that PAGE matches
IS_FIRST = 2  # flag of a page that begins a stream
FLAC_HEAD = re.compile(rb"fLaC[\0\x80]\0\0\x22")  # the marker, and the head of STREAMINFO (RFC 9639, section 8.2)
FLAC_HEAD_SIZE = 8


class Link(NamedTuple):
    """Where a recording begins and ends in its file, in bytes."""

    start: int
    end: int


def find_links(source: Source) -> tuple[Link, ...]:
    """Return the parts of a file that are recordings of their own, at least one; the place moves."""
    num_bytes = source.seek(0, SEEK_END)
    source.seek(0)
    head = source.read(12)
    starts = [0]
    if head[:4] == b"OggS":
        starts += _find_ogg_starts(source)
    elif head[:4] == b"fLaC":
        starts += _find_flac_starts(source)
    elif head[:4] == b"RIFF":
        starts += _find_wav_starts(source, num_bytes)
    starts = starts[:MOST_LINKS]
    return tuple(Link(start, end) for start, end in zip(starts, [*starts[1:], num_bytes], strict=True))


def _find_ogg_starts(source: Source) -> Iterator[int]:
    """Yield where streams begin after others; those that begin together are tracks of one link."""
    was_first = True
    for at, page in _search(source, PAGE, PAGE_HEAD):
        is_first = bool(page[1][0] & IS_FIRST)
        if is_first and not was_first:
            yield at
        was_first = is_first


def _find_flac_starts(source: Source) -> Iterator[int]:
    """Yield where FLAC files begin after the first."""
    return (at for at, _ in _search(source, FLAC_HEAD, FLAC_HEAD_SIZE) if at)


def _search(source: Source, pattern: re.Pattern[bytes], size: int) -> Iterator[tuple[int, re.Match[bytes]]]:
    """Yield where a pattern of `size` bytes matches, with the match."""
    at, tail = 0, b""
    source.seek(0)
    while chunk := source.read(CHUNK):
        text = tail + chunk
        for match in pattern.finditer(text):
            yield at - len(tail) + match.start(), match
        at += len(chunk)
        tail = text[-(size - 1) :]


def _find_wav_starts(source: Source, num_bytes: int) -> Iterator[int]:
    """Yield where a file begins that follows right where the one before it says that it ends."""
    start = 0
    while start < num_bytes:
        source.seek(start)
        head = source.read(12)
        if head[:4] != b"RIFF" or head[8:] != b"WAVE":
            return
        if start:
            yield start
        length = int.from_bytes(head[4:8], "little")
        start += 8 + length + length % 2
