"""Where the recordings of a joined file begin: heads written byte by byte."""

from io import BytesIO

import pytest

from services.audio.chaining import CHUNK, FLAC_HEAD_SIZE, MOST_LINKS, Link, find_links

FLAC = b"fLaC\0\0\0\x22" + bytes(42)
FIRST, LATER, LAST = (b"OggS\0" + bytes([flags]) + bytes(30) for flags in (2, 0, 4))
EMPTY_WAV = b"RIFF\4\0\0\0WAVE"


def wav(size: int, *, held: int | None = None) -> bytes:
    return b"RIFF" + (4 + size).to_bytes(4, "little") + b"WAVE" + bytes(size if held is None else held)


def starts(file: bytes) -> list[int]:
    links = find_links(BytesIO(file))
    assert [link.end for link in links] == [*(link.start for link in links[1:]), len(file)]
    return [link.start for link in links]


@pytest.mark.parametrize(
    ("file", "found"),
    [
        (FIRST + LATER + LAST, [0]),
        (FIRST + LATER + FIRST + LAST, [0, 72]),
        (FIRST + FIRST + LATER + FIRST + FIRST + LAST, [0, 108]),  # tracks of one link begin together
        (FIRST + LATER + b"OggS\1\2" + bytes(30), [0]),  # another version
        (FIRST + LATER + b"OggS\0\x0a" + bytes(30), [0]),  # a flag that there is not
        (FLAC + FLAC, [0, 50]),
        (FLAC + b"fLaC\x80\0\0\x22", [0, 50]),
        (FLAC + b"fLaC\0\0\0\x21", [0]),
        (b"fLaX" + FLAC, [0]),
        (wav(10) + wav(20) + wav(30), [0, 22, 54]),
        (wav(11, held=12) + wav(20), [0, 24]),  # an odd length has a byte behind it
        (wav(10) + b"RIFX" + wav(20)[4:], [0]),
        (wav(10) + b"RIFF\4\0\0\0AVI ", [0]),
        (wav(10, held=6), [0]),  # cut off
        (b"ID3" + wav(10) + wav(10), [0]),
        (b"", [0]),
    ],
)
def test_a_recording_begins_where_its_head_stands_behind_another(file: bytes, found: list[int]) -> None:
    assert starts(file) == found


def test_nothing_lies_between_the_links() -> None:
    assert find_links(BytesIO(wav(10) + wav(20))) == (Link(0, 22), Link(22, 54))


@pytest.mark.parametrize(
    "before", [CHUNK - FLAC_HEAD_SIZE, CHUNK - FLAC_HEAD_SIZE + 1, CHUNK - 1, CHUNK, 2 * CHUNK + 1]
)
def test_a_head_is_found_wherever_the_file_is_cut_for_reading(before: int) -> None:
    assert starts(FLAC.ljust(before, b"\0") + FLAC) == [0, before]


def test_what_follows_the_last_link_that_counts_belongs_to_it() -> None:
    assert len(starts(EMPTY_WAV * (MOST_LINKS + 5))) == MOST_LINKS
