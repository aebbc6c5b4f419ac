"""Data URLs (RFC 2397) and base64 (RFC 4648), in every form in which recordings are written into JSON.

A data URL is read as browsers read it (WHATWG, Fetch, section 6): its content begins behind the first comma, may be
percent-encoded, and is base64 where the part before the comma ends with `;base64`. Base64 may hold line breaks, may
lack its padding, and may be in the alphabet that is safe in URLs.
"""

import binascii
import re
from contextlib import suppress
from urllib.parse import unquote_to_bytes

SCHEME = "data:"
HEAD = re.compile(r'data:(?:[^",]|"[^"]*")*,', re.IGNORECASE)  # a quoted parameter may hold a comma
ENDS_WITH_BASE64 = re.compile(r";\s*base64\s*\Z", re.IGNORECASE)
LONGEST_HEAD = 2_000  # characters before the comma
OF_URLS = bytes.maketrans(b"-_", b"+/")
WHITESPACE = b" \t\r\n\f\v"


def is_data_url(text: str) -> bool:
    """Say whether a text is a data URL."""
    return text[: len(SCHEME)].lower() == SCHEME


def decode_data_url(url: str) -> bytes:
    """Return the content of a data URL; `ValueError` says what is wrong with it."""
    head = HEAD.match(url, 0, LONGEST_HEAD)
    if head is None:
        raise ValueError("holds no comma, behind which its content begins")
    content = url[head.end() :].encode("utf-8", "surrogatepass")
    if b"%" in content:
        content = unquote_to_bytes(content)
    return decode_base64(content) if ENDS_WITH_BASE64.search(head[0][:-1]) else content


def decode_base64(text: bytes) -> bytes:
    """Return what base64 stands for; `ValueError` says what is wrong with it."""
    with suppress(binascii.Error):  # the usual form, without two more copies of a long recording
        return binascii.a2b_base64(text, strict_mode=True)
    bare = text.translate(OF_URLS, WHITESPACE)
    padded = bare if len(bare) % 4 == 0 else bare.rstrip(b"=") + b"=" * (-len(bare.rstrip(b"=")) % 4)
    try:
        return binascii.a2b_base64(padded, strict_mode=True)
    except binascii.Error as error:
        raise ValueError(f"is not base64: {str(error).lower()}") from None
