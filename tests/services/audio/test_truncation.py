"""How many bytes a file lacks of what its container announces, or has beyond it: heads written byte by byte."""

from io import BytesIO

import pytest

from services.audio.truncation import (
    SLACK,
    STREAMED_WAV,
    WAVE64,
    WAVE64_DATA,
    count_excess_bytes,
    count_missing_bytes,
    measure_mp3,
)

LACKING = 10_000
HELD = 100


def chunk(name: bytes, announced: int, held: bytes | None = None) -> bytes:
    content = b"\1" * announced if held is None else held
    return name + announced.to_bytes(4, "little") + content


def wav(*chunks: bytes) -> bytes:
    return b"RIFF" + bytes(4) + b"WAVE" + b"".join(chunks)


def box(name: bytes, announced: int, held: int, *, is_wide: bool = False) -> bytes:
    head = b"\0\0\0\1" + name + announced.to_bytes(8) if is_wide else announced.to_bytes(4) + name
    return head + bytes(held - len(head))


def rf64(announced: int, held: int) -> bytes:
    sizes = bytes(8) + announced.to_bytes(8, "little") + bytes(12)
    return b"RF64\xff\xff\xff\xffWAVE" + chunk(b"ds64", 28, sizes) + chunk(b"data", 0xFFFFFFFF, bytes(held))


def mp3(tag: bytes, flags: int, *numbers: int) -> bytes:
    frame = b"\xff\xfb\x90\x44" + bytes(32) + b"Xing" + flags.to_bytes(4)
    return tag + (frame + b"".join(number.to_bytes(4) for number in numbers)).ljust(HELD, b"\0")


def caf(announced: int, held: int) -> bytes:
    described = b"desc" + (32).to_bytes(8) + bytes(32)
    return b"caff" + bytes(4) + described + b"data" + announced.to_bytes(8, signed=True) + bytes(held)


def wave64(announced: int, held: int) -> bytes:
    form = b"fmt ".ljust(16) + (24 + 19).to_bytes(8, "little") + bytes(24)  # 19 bytes, and five to a multiple of eight
    return (
        WAVE64
        + bytes(8)
        + b"wave".ljust(16)
        + form
        + WAVE64_DATA
        + (24 + announced).to_bytes(8, "little")
        + bytes(held)
    )


SOUND = chunk(b"data", HELD + LACKING, bytes(HELD))
FTYP = box(b"ftyp", 24, 24)
WEBM = b"\x1a\x45\xdf\xa3" + b"\x84" + bytes(4)  # a head of four bytes
SEGMENT = bytes.fromhex("18538067")
TAG = b"ID3\4\0\0" + bytes([0, 0, 2, 1]) + bytes(257)  # lengths of tags have seven bits a byte


@pytest.mark.parametrize(
    ("file", "missing"),
    [
        (wav(chunk(b"fmt ", 16), SOUND), LACKING),
        (wav(chunk(b"fmt ", 16), chunk(b"LIST", 3, bytes(4)), SOUND), LACKING),  # an odd chunk has a byte behind it
        (wav(chunk(b"fmt ", 16), chunk(b"data", HELD)), 0),
        (wav(chunk(b"data", HELD + SLACK, bytes(HELD))), 0),
        (wav(chunk(b"data", HELD + SLACK + 1, bytes(HELD))), SLACK + 1),
        (wav(chunk(b"data", STREAMED_WAV, bytes(HELD))), 0),
        (wav(chunk(b"data", STREAMED_WAV - 1, bytes(HELD))), STREAMED_WAV - 1 - HELD),
        (wav(chunk(b"fmt ", 16)), 0),
        (rf64(HELD + LACKING, HELD), LACKING),
        (rf64(HELD, HELD), 0),
        (caf(HELD + LACKING, HELD), LACKING),
        (caf(HELD, HELD), 0),
        (caf(-1, HELD), 0),  # unknown
        (b"caff" + bytes(4) + b"data", 0),
        (wave64(HELD + LACKING, HELD), LACKING),
        (wave64(HELD, HELD), 0),
        (WAVE64 + bytes(8), 0),
        (chunk(b"RIFF", HELD + LACKING, b"AVI " + bytes(HELD - 4)), LACKING),
        (chunk(b"RIFF", HELD, b"AVI " + bytes(HELD - 4)), 0),
        (chunk(b"RIFF", 8, b"AVI " + bytes(4)) + chunk(b"RIFF", HELD + LACKING, b"AVIX" + bytes(HELD - 4)), LACKING),
        (chunk(b"RIFF", 8, b"AVI " + bytes(4)) + b"\0" * LACKING, 0),
        (FTYP + box(b"moov", 40, 40) + box(b"mdat", HELD + LACKING, HELD), LACKING),
        (FTYP + box(b"mdat", HELD + LACKING, HELD, is_wide=True), LACKING),
        (FTYP + box(b"mdat", HELD, HELD), 0),
        (FTYP + box(b"mdat", 0, HELD), 0),  # to the end of the file
        (FTYP + box(b"none", HELD + LACKING, HELD), 0),
        (WEBM + SEGMENT + (0x4000 | HELD + LACKING).to_bytes(2) + bytes(HELD), LACKING),
        (WEBM + SEGMENT + (1 << 56 | HELD + LACKING).to_bytes(8) + bytes(HELD), LACKING),
        (WEBM + SEGMENT + b"\x7f\xff" + bytes(HELD), 0),  # of unknown size
        (WEBM + SEGMENT + b"\x00" + bytes(HELD), 0),
        (WEBM + b"\x18\x53\x80\x68" + (0x4000 | HELD + LACKING).to_bytes(2), 0),
        (b"OggS" + bytes(22) + bytes([2, 255, 100]) + bytes(300), 55),  # a page tells to the byte
        (b"OggS" + bytes(22) + bytes([2, 255, 100]) + bytes(355), 0),
        (b"OggS" + bytes(22) + bytes([0]) + b"OggS" + bytes(22) + bytes([1, 80]) + bytes(70), 10),
        (mp3(b"", 3, 7, HELD + LACKING), LACKING),
        (mp3(b"", 2, HELD + LACKING), LACKING),
        (mp3(b"", 1, HELD + LACKING), 0),
        (mp3(TAG, 3, 7, HELD + LACKING), LACKING),
        (b"fLaC" + bytes(HELD), 0),
        (b"", 0),
    ],
)
def test_what_is_missing_is_what_the_container_announces_beyond_the_end(file: bytes, missing: int) -> None:
    assert count_missing_bytes(BytesIO(file)) == missing


@pytest.mark.parametrize(
    ("file", "excess"),
    [
        (wav(chunk(b"data", HELD), bytes(LACKING)), LACKING),
        (wav(chunk(b"data", HELD), bytes(SLACK)), 0),
        (wav(chunk(b"data", HELD), bytes(SLACK + 1)), SLACK + 1),
        (wav(chunk(b"data", HELD), chunk(b"LIST", LACKING)), 0),
        (wav(chunk(b"data", HELD), chunk(b"LIST", 3, bytes(4)), chunk(b"id3 ", LACKING)), 0),
        (wav(chunk(b"data", HELD), chunk(b"LIST", 20), b"\xff" * LACKING), LACKING),
        (wav(chunk(b"data", HELD), b"    " * LACKING), 4 * LACKING),
        (wav(chunk(b"data", 3, bytes(4)), chunk(b"LIST", LACKING)), 0),  # an odd chunk has a byte behind it
        (wav(chunk(b"data", STREAMED_WAV, bytes(LACKING))), 0),
        (wav(chunk(b"fmt ", 16)), 0),
        (b"RIFX" + wav(chunk(b"data", HELD), bytes(LACKING))[4:], 0),
    ],
)
def test_what_follows_the_sound_of_a_wav_file_and_is_no_chunk_is_in_excess(file: bytes, excess: int) -> None:
    assert count_excess_bytes(BytesIO(file)) == excess


@pytest.mark.parametrize(("flags", "rate", "length_s"), [(1, 48_000, 24.0), (3, 22_050, 576 / 22.05), (2, 48_000, 0.0)])
def test_an_mp3_header_that_counts_frames_states_the_length(flags: int, rate: int, length_s: float) -> None:
    assert measure_mp3(BytesIO(TAG + mp3(b"", flags, 1000, HELD)), len(TAG), rate) == pytest.approx(length_s)
