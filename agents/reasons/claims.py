"""Claims in replies: JSON of a schema, or lines with citations in brackets; what is neither is not read.

Statements are cited as `S1`, `S2` and so on: no chord, note or model of a device that a recording is about.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, Field

from agents.reading.marks import read_final_text, read_json_reply
from agents.reading.prompts import make_object_schema
from agents.reasons.check import WrittenCitation, WrittenClaim
from agents.reasons.times import POINT, read_time

MAX_CLAIMS = 5
CITED = re.compile(
    rf"\b(?P<id>S\d+)\b(?:[\s,:@]*(?P<start>{POINT})\s*s?\s*(?:-|–|—|to)\s*(?P<end>{POINT})(?:\s*s\b)?)?", re.IGNORECASE
)
BRACKETED = re.compile(rf"\s*[\[(][^\[\]()]*{CITED.pattern}[^\[\]()]*[\])]", re.IGNORECASE)
BULLET = re.compile(r"\A\s*(?:[-*•–]|\d+[.)])\s+")

Seconds = Annotated[float | None, Field(allow_inf_nan=False)]


class _CitedStatement(BaseModel):
    id: str
    start_s: Seconds = None
    end_s: Seconds = None


class _JSONClaim(BaseModel):
    claim: str
    evidence: tuple[_CitedStatement, ...]


class _JSONClaims(BaseModel):
    claims: tuple[_JSONClaim, ...]


def make_schema(ids: Iterable[str]) -> dict[str, Any]:
    """Make the JSON schema of a reply that cites statements of these ids; it requires each field, as strict ones do."""
    seconds = {"type": ["number", "null"]}
    statement = make_object_schema(id={"type": "string", "enum": list(ids)}, start_s=seconds, end_s=seconds)
    claim = make_object_schema(claim={"type": "string"}, evidence={"type": "array", "items": statement})
    return make_object_schema(claims={"type": "array", "items": claim, "maxItems": MAX_CLAIMS})


def read_json_claims(reply: str) -> tuple[WrittenClaim, ...] | None:
    """Read a reply that is JSON of the schema, perhaps behind a thought or in a code fence; None where it is not."""
    found = read_json_reply(reply, _JSONClaims)
    if found is None:
        return None
    return _join_repeats(
        WrittenClaim(
            " ".join(one.claim.split()),
            tuple(WrittenCitation(said.id.strip("[] "), said.start_s, said.end_s) for said in one.evidence),
        )
        for one in found.claims
    )


def read_line_claims(reply: str, *, is_finished: bool = True) -> tuple[WrittenClaim, ...] | None:
    """Read a reply of a claim a line; None where it holds no words. Of one that was cut off the last line is left."""
    text = read_final_text(reply, ())
    lines = (text or "").splitlines()
    claims = _join_repeats(map(_read_line, lines if is_finished else lines[:-1]))
    return claims or None


def _read_line(line: str) -> WrittenClaim:
    line = " ".join(line.split())
    cites = tuple(_read_citation(found) for found in CITED.finditer(line))
    words = BULLET.sub("", BRACKETED.sub("", line))
    return WrittenClaim(words.strip(), tuple(dict.fromkeys(cites)))


def _read_citation(found: re.Match[str]) -> WrittenCitation:
    start, end = found["start"], found["end"]
    return WrittenCitation(found["id"].upper(), read_time(start) if start else None, read_time(end) if end else None)


def _join_repeats(claims: Iterable[WrittenClaim]) -> tuple[WrittenClaim, ...]:
    """Return the first claims without headings and lines of signs; of the same words one, with all that it cites."""
    cites: dict[str, tuple[WrittenCitation, ...]] = {}
    for one in claims:
        if re.search(r"\w", one.text) and (one.cites or not one.text.endswith(":")):
            cites[one.text] = cites.get(one.text, ()) + one.cites
    return tuple(WrittenClaim(text, tuple(dict.fromkeys(cites[text]))) for text in list(cites)[:MAX_CLAIMS])
