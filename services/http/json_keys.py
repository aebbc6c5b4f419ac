"""Duplicate keys of JSON objects: refused, since two programs may each take another value (RFC 8259, section 4).

A proxy that checks the first `model` and a service that uses the last would not mean the same request.
"""

import json

from services.errors import BadRequest

LONGEST_KEPT = 256  # bytes of a text that is looked at; a recording in base64 is passed over
MOST_QUOTES = 500_000  # a body with more holds no request, and takes seconds to read
NEAR = 64  # bytes before a quote that are looked at first
QUOTE, ESCAPE = b'"', b"\\"


def check_keys(body: bytes) -> None:
    """Raise `BadRequest` for valid JSON of which an object has a key twice."""
    if body.count(QUOTE) > MOST_QUOTES:
        raise BadRequest(f"The JSON has more than {MOST_QUOTES} quotation marks; a question has fewer.")
    json.loads(_leave_out_long_texts(body), object_pairs_hook=_check_object)


def _check_object(pairs: list[tuple[str, object]]) -> None:
    seen: set[str] = set()
    for key, _ in pairs:
        if key in seen:
            raise BadRequest(f"The JSON has the key {key!r} twice in one object; give it once.", param=key)
        seen.add(key)


def _leave_out_long_texts(body: bytes) -> bytes:
    """Return JSON whose long texts are each a number of its own in quotes, so that no two of them are the same key."""
    kept, at, number = [], 0, 0
    while (start := body.find(QUOTE, at)) >= 0:
        end = _find_end(body, start)
        if end - start > LONGEST_KEPT:
            number += 1
            kept += [body[at:start], b'"%d"' % number]
        else:
            kept.append(body[at:end])
        at = end
    return b"".join((*kept, body[at:]))


def _find_end(body: bytes, start: int) -> int:
    """Return where the text ends whose opening quote is at `start`."""
    at = start + 1
    while True:
        quote = body.index(QUOTE, at)
        before = body[max(at, quote - NEAR) : quote]
        if not before.strip(ESCAPE):  # nothing but escapes so far
            before = body[at:quote]
        if (len(before) - len(before.rstrip(ESCAPE))) % 2 == 0:
            return quote + 1
        at = quote + 1
