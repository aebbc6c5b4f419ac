"""Keys and notes in words: C sharp major is D flat major, and E flat major is not E major."""

import re
from typing import NamedTuple

from services.types import Question

TONICS = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
SHIFTS = {"sharp": 1, "#": 1, "♯": 1, "flat": -1, "b": -1, "♭": -1}
TONIC = r"(?P<tonic>[a-g])(?:[\s-]?(?P<word>sharp|flat)|(?P<sign>[#♯b♭]))?"
STATED = re.compile(rf"\b{TONIC}\s(?P<mode>major|minor)\b", re.IGNORECASE)
OPTION = re.compile(
    rf"(?:the\s)?(?:key\sof\s|in\s)?{TONIC}(?:[\s-](?P<mode>major|minor))?(?:\s(?:key|scale|chord))?\.?", re.IGNORECASE
)


class Key(NamedTuple):
    """A tonic and a mode."""

    pitch_class: int
    """Semitones above C."""
    mode: str
    """Empty: none was named."""


def supported_keys(said: str, question: Question) -> frozenset[str] | None:
    """Return the letters of the options that name the key that is said; None where it is not about keys."""
    stated = STATED.search(said)
    if stated is None:
        return None
    told = _key(stated)
    named = {choice.letter: OPTION.fullmatch(choice.text.strip()) for choice in question.choices}
    if not any(named.values()):
        return None
    return frozenset(
        letter for letter, match in named.items() if match and _key(match) in {told, told._replace(mode="")}
    )


def _key(match: re.Match[str]) -> Key:
    tonic, word, sign, mode = (match[name] or "" for name in ("tonic", "word", "sign", "mode"))
    return Key((TONICS[tonic.lower()] + SHIFTS.get((word or sign).lower(), 0)) % 12, mode.lower())
