"""Data URLs (RFC 2397) and base64 (RFC 4648), in every form in which recordings are written into JSON.

A data URL is read as browsers read it (WHATWG, Fetch, section 6): its content begins behind the first comma, ends at
a fragment, may be percent-encoded, and is base64 where the part before the comma ends with `;base64`. Base64 may hold
line breaks, may lack its padding, and may be in the alphabet that is safe in URLs.
"""

import binascii
import re
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import unquote_to_bytes

SCHEME = "data:"
HEAD = re.compile(r'\s*data:(?:[^",]|"[^"]*")*,', re.IGNORECASE)  # a quoted parameter may hold a comma
ENDS_WITH_BASE64 = re.compile(r";\s*base64\s*\Z", re.IGNORECASE)
LONGEST_HEAD = 2_000  # characters before the comma
OF_URLS = bytes.maketrans(b"-_", b"+/")
PIECE = 1 << 20  # characters that are decoded in one call, which no other thread can interrupt; a multiple of four
WHITESPACE = b" \t\r\n\f\v"


def is_data_url(text: str) -> bool:
    """Say whether a text is a data URL."""
    return text[:LONGEST_HEAD].lstrip()[: len(SCHEME)].lower() == SCHEME


def decode_data_url(url: str) -> bytes:
    """Return the content of a data URL; `ValueError` says what is wrong with it."""
    head = HEAD.match(url, 0, LONGEST_HEAD)
    if head is None:
        raise ValueError("holds no comma, behind which its content begins")
    written = url[head.end() :].partition("#")[0]  # behind it is the fragment, which is not of the content
    content = unquote_to_bytes(_to_bytes(written)) if "%" in written else written
    return decode_base64(content) if ENDS_WITH_BASE64.search(head[0][:-1]) else _to_bytes(content)


def decode_base64(text: str | bytes) -> bytes:
    """Return what base64 stands for; `ValueError` says what is wrong with it."""
    with suppress(binascii.Error):  # the usual form, without two more copies of a long recording
        return b"".join(_decode_strictly(text))
    bare = _to_bytes(text).translate(OF_URLS, WHITESPACE)
    padded = bare if len(bare) % 4 == 0 else bare.rstrip(b"=") + b"=" * (-len(bare.rstrip(b"=")) % 4)
    try:
        return b"".join(_decode_strictly(padded))
    except binascii.Error as error:
        raise ValueError(f"is not base64: {str(error).lower()}") from None


def _decode_strictly(text: str | bytes) -> Iterator[bytes]:
    """Decode piece by piece, so that other threads get their turn; padding is for the last one."""
    for start in range(0, len(text), PIECE):
        piece = _to_bytes(text[start : start + PIECE])
        if piece.endswith(b"=") and start + PIECE < len(text):
            raise binascii.Error("Excess data after padding")
        yield binascii.a2b_base64(piece, strict_mode=True)


def _to_bytes(text: str | bytes) -> bytes:
    return text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
