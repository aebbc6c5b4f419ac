"""Recordings that a question names: "the second recording", "clip 3", "audio B", "recordings 1 and 2".

A name is a word for a recording beside an ordinal, a number or a letter. A question that names none may be about any.
"""

import re
from collections.abc import Iterator

from agents.reading.numbers import ORDINALS, spell_in_digits
from services.types import Question

NOUN = r"(?:audios?|clips?|excerpts?|files?|recordings?|samples?|segments?|tracks?)"
PHRASE = rf"{NOUN}(?: {NOUN})?"  # audio clip, audio file
NTH = rf"(?:{'|'.join(ORDINALS)}|last|\d+(?:st|nd|rd|th))"
LIST = r"(?:\s*(?:,|and|or|&|,\s*and|,\s*or)\s*(?:the )?{one})*"
BEFORE = re.compile(rf"\b(?P<names>{NTH}{LIST.format(one=NTH)}) {PHRASE}\b", re.I)
NUMBER = r"(?:#|no\.? ?|number ?)?\d+\b"
AFTER = re.compile(rf"\b{PHRASE}[ _-]?(?P<names>{NUMBER}{LIST.format(one=NUMBER)})", re.I)
LETTER = r"[A-H]\b"
LETTERED = re.compile(rf"\b(?i:{PHRASE})[ _-](?P<names>{LETTER}(?:\s*(?:,|and|or|&)\s*{LETTER})*)(?!')")


def find_named_clips(question: Question) -> frozenset[int]:
    """Return the numbers, from 1, of the recordings that a question about several names; empty: it names none."""
    if question.num_clips == 1:
        return frozenset()
    found = frozenset(_find(question.text, question.num_clips))
    return frozenset(number for number in found if 1 <= number <= question.num_clips)


def _find(text: str, num_clips: int) -> Iterator[int]:
    for match in BEFORE.finditer(text):
        for name in re.findall(NTH, match["names"], re.I):
            word = name.lower()
            yield num_clips if word == "last" else ORDINALS.get(word) or int(re.sub(r"\D", "", word))
    for match in AFTER.finditer(spell_in_digits(text)):
        yield from map(int, re.findall(r"\d+", match["names"]))
    for match in LETTERED.finditer(text):
        yield from (ord(letter) - ord("A") + 1 for letter in re.findall(LETTER, match["names"]))
