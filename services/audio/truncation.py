"""Truncated files: how many bytes a recording lacks of the length that its container announces.

Each format announces lengths: WAV, Wave64 and CAF of their sound, AVI of each list, MP4 of each box, WebM of its
segment, Ogg of each page, MP3 of the whole where the encoder left a Xing header. FLAC and raw AAC end in an error of
their decoder. What was streamed announces nothing, or what no file has, and is heard as far as it goes. Lengths are
compared with the bytes that are there and used for nothing else.
"""

from io import SEEK_CUR, SEEK_END
from typing import NamedTuple

from services.audio.formats import Source

SLACK = 4096  # bytes that may lack; some writers miscount
STREAMED_WAV = 0x7FFF0000  # a WAV file that announces as much was written before its length was known
MOST_PARTS = 1000  # chunks or boxes that are looked at
OGG_PAGE = 27 + 255 + 255 * 255  # bytes of the longest page
MP3_FRAME = 1500  # bytes of the longest frame; the first holds the Xing header
MPEG1_FRAME, MPEG1_RATE = 1152, 32_000  # samples of a frame, from this rate on (Hz); half as many below
ID3_HEAD = 10
BOXES = frozenset(
    [b"ftyp", b"styp", b"moov", b"moof", b"mfra", b"mdat", b"meta", b"sidx", b"free", b"skip", b"wide", b"uuid"]
)
SEGMENT = bytes.fromhex("18538067")  # of Matroska and WebM
WAVE64 = bytes.fromhex("726966662e91cf11a5d628db04c10000")  # GUID of the file, and of the chunk that holds the sound:
WAVE64_DATA = bytes.fromhex("64617461f3acd3118cd100c04f8edb8a")
WAVE64_HEAD = 16 + 8  # GUID and length of a chunk


def count_missing_bytes(source: Source) -> int:
    """Return how many bytes a recording announces beyond its end, 0 where none, few or unknown; the place moves."""
    num_bytes = source.seek(0, SEEK_END)
    source.seek(0)
    head = source.read(12)
    if head[8:] == b"WAVE":
        end = _find_wav_end(source)
    elif head[8:] == b"AVI ":
        end = _find_avi_end(source, num_bytes)
    elif head == WAVE64[:12]:
        end = _find_wave64_end(source)
    elif head[:4] == b"caff":
        end = _find_caf_end(source)
    elif head[4:8] == b"ftyp":
        end = _find_mp4_end(source, num_bytes)
    elif head[:4] == b"\x1a\x45\xdf\xa3":
        end = _find_webm_end(source)
    elif head[:4] == b"OggS":
        return _count_missing_in_ogg(source, num_bytes)
    else:
        end = _find_mp3_end(source, head)
    return end - num_bytes if end - num_bytes > SLACK else 0


def count_excess_bytes(source: Source) -> int:
    """Return how many bytes follow the sound of a WAV file that are neither chunks nor another file, 0 for few."""
    num_bytes = source.seek(0, SEEK_END)
    source.seek(0)
    head = source.read(12)
    end = _find_wav_end(source) if head[:4] == b"RIFF" and head[8:] == b"WAVE" else 0
    if end <= source.tell():  # no length is known
        return 0
    end += end % 2
    for _ in range(MOST_PARTS):
        source.seek(end)
        chunk = source.read(8)
        if len(chunk) < 8 or not chunk[:4].isascii() or not chunk[:4].strip().isalnum():
            break
        end += 8 + int.from_bytes(chunk[4:], "little")
        end += end % 2
    return num_bytes - end if num_bytes - end > SLACK else 0


def _find_wav_end(source: Source) -> int:
    """Return where the sound ends; the place is behind `RIFF`, its length and `WAVE`.

    RF64 states the length in a chunk of its own, `ds64` (EBU Tech 3306).
    """
    long_length = 0
    for _ in range(MOST_PARTS):
        head = source.read(8)
        length = int.from_bytes(head[4:], "little")
        if head[:4] == b"ds64":
            long_length = int.from_bytes(source.read(16)[8:], "little")
            source.seek(-16, SEEK_CUR)
        if head[:4] == b"data":
            stated = length if length < STREAMED_WAV else long_length
            return source.tell() + stated if stated else 0
        if len(head) < 8:
            return 0
        source.seek(length + length % 2, SEEK_CUR)
    return 0


def _find_avi_end(source: Source, num_bytes: int) -> int:
    """Return where the last list ends, of those that begin before the end; a long file has several (OpenDML 1.02)."""
    end = 0
    for _ in range(MOST_PARTS):
        source.seek(end)
        head = source.read(8)
        if head[:4] != b"RIFF":
            return end
        end += 8 + int.from_bytes(head[4:], "little")
        if end >= num_bytes:
            return end
    return 0


def _find_wave64_end(source: Source) -> int:
    """Return where the sound ends; lengths count the head of their chunk, and chunks begin at multiples of eight."""
    place = WAVE64_HEAD + 16
    for _ in range(MOST_PARTS):
        source.seek(place)
        head = source.read(WAVE64_HEAD)
        length = int.from_bytes(head[16:], "little")
        if len(head) < WAVE64_HEAD or length < WAVE64_HEAD:
            return 0
        if head[:16] == WAVE64_DATA:
            return place + length if length < 1 << 63 else 0
        place += -(-length // 8) * 8
    return 0


def _find_caf_end(source: Source) -> int:
    """Return where the sound ends, 0 where its length is -1: unknown (Apple, Core Audio Format Specification)."""
    source.seek(8)
    for _ in range(MOST_PARTS):
        head = source.read(12)
        length = int.from_bytes(head[4:], signed=True)
        if head[:4] == b"data":
            return source.tell() + length if length > 0 else 0
        if len(head) < 12 or length < 0:
            return 0
        source.seek(length, SEEK_CUR)
    return 0


def _find_mp4_end(source: Source, num_bytes: int) -> int:
    """Return where the last box ends, of those that begin before the end (ISO/IEC 14496-12, section 4.2)."""
    end = 0
    for _ in range(MOST_PARTS):
        source.seek(end)
        head = source.read(16)
        length = int.from_bytes(head[:4])
        if length == 1:
            length = int.from_bytes(head[8:])
        if length < 8 or head[4:8] not in BOXES:  # 0: to the end of the file
            return end
        end += length
        if end >= num_bytes:
            return end
    return 0


def _find_webm_end(source: Source) -> int:
    """Return where the segment ends (RFC 8794, section 4 on lengths of unknown size, RFC 9559)."""
    source.seek(4)
    header = _read_vint(source)
    if header is None:
        return 0
    source.seek(header, SEEK_CUR)
    if source.read(4) != SEGMENT:
        return 0
    length = _read_vint(source)
    return 0 if length is None else source.tell() + length


def _read_vint(source: Source) -> int | None:
    """Read a length of 1 to 8 bytes, None where it is unknown: all ones."""
    first = source.read(1)
    width = 9 - first[0].bit_length() if first else 9
    if width > 8:
        return None
    bits = 7 * width
    value = int.from_bytes(first + source.read(width - 1)) & ((1 << bits) - 1)
    return None if value == (1 << bits) - 1 else value


def _count_missing_in_ogg(source: Source, num_bytes: int) -> int:
    """Return what the last page lacks (RFC 3533, section 6); where pages are missing whole, nothing says so."""
    source.seek(max(0, num_bytes - OGG_PAGE))
    tail = source.read(OGG_PAGE)
    page = tail[max(tail.rfind(b"OggS"), 0) :]
    num_segments = page[26] if len(page) > 26 else 0
    lengths = page[27 : 27 + num_segments]
    return max(0, 27 + num_segments + sum(lengths) - len(page))


def _find_mp3_end(source: Source, head: bytes) -> int:
    """Return where the frames end that a Xing header counts, behind the tags before it."""
    start = 0
    if head[:3] == b"ID3":
        seven_bits = head[6:ID3_HEAD]
        start = ID3_HEAD + sum(value << shift for value, shift in zip(seven_bits, (21, 14, 7, 0), strict=False))
    source.seek(start)
    num_bytes = _read_xing(source).num_bytes
    return start + num_bytes if num_bytes else 0


class _Xing(NamedTuple):
    """What a Xing header counts, 0 for what it does not."""

    num_frames: int = 0
    num_bytes: int = 0


def _read_xing(source: Source) -> _Xing:
    """Read the Xing header of an MP3 file whose first frame begins here."""
    frame = source.read(MP3_FRAME)
    at = max(frame.find(b"Xing"), frame.find(b"Info"))
    flags = frame[at + 7] if 0 < at < len(frame) - 16 else 0
    counts = [int.from_bytes(frame[place : place + 4]) for place in (at + 8, at + 12)]
    has_frames, has_bytes = bool(flags & 1), bool(flags & 2)
    return _Xing(counts[0] if has_frames else 0, counts[1 if has_frames else 0] if has_bytes else 0)


def measure_mp3(source: Source, start: int, rate: int) -> float:
    """Return the seconds that the Xing header of an MP3 file states, 0 where it has none; the place moves.

    `start` is where its first frame begins, in bytes, behind the tags; `rate` is in Hz.
    """
    source.seek(start)
    return _read_xing(source).num_frames * (MPEG1_FRAME if rate >= MPEG1_RATE else MPEG1_FRAME // 2) / rate
