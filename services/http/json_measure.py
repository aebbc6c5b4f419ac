"""Measure of a JSON text before it is parsed: how many pieces it has.

Parsed, a piece takes 40 times the memory of its text, so that a body that may be as large as a recording could fill the
machine if it were made of pieces. A recording in base64 is one piece. How deeply pieces are nested is bounded by the
parser itself.
"""

from services.errors import BadRequest

MOST_PIECES = 50_000  # values of lists and objects, and the lists and objects themselves

PART_BYTES = 1 << 20  # that are counted in one call, which no other thread can interrupt


def check_measure(body: bytes) -> None:
    """Raise `BadRequest` for JSON of more pieces than any request needs.

    Commas and brackets within texts count too, as they are not told apart yet; a recording in base64 holds none.
    """
    parts = (body[start : start + PART_BYTES] for start in range(0, len(body), PART_BYTES))
    if sum(part.count(sign) for part in parts for sign in (b",", b"[", b"{")) > MOST_PIECES:
        raise BadRequest(f"The JSON has more than {MOST_PIECES} pieces; a question has fewer.")
