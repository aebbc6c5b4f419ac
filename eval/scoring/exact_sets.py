"""Exact sets: questions with several right options, of which a reply has to name all and no other.

Strict: each line of the reply, or each part between semicolons, is an option's letter, its text, both, or a list of
texts; a reply that is letters only may part them in any way. A line with no option in it is left out as talk; one that
says more of an option than its text makes the reply unread, for it may deny it. Official: that of MDAR's script,
multi/eval_new.py (luckyerr/MDAR @ 0ac3216), which reads options word for word: a letter is not an option there, and a
text that itself holds a semicolon is never found.
"""

import re
from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from services.questions import OWN_LETTER

PARTS = re.compile(r"[；;\n]+")
SIGNS_BEHIND = ",.;!?，。；！？"
BULLET = re.compile(r"^\s*(?:[-*•·]+\s+|\d{1,2}[.)、]\s*)")
LEAD_IN = re.compile(r".*(?:[:：]|\b(?:are|is)\b|是|为)", re.DOTALL)  # what may stand before letters
BETWEEN = re.compile(
    r"[\s,，、;；&/+*]+|\b(?:and|option|options|choice|choices|answer|answers)\b|[和与及]", re.IGNORECASE
)
LETTER = re.compile(r"[(\[]?([A-Z])[)\].]?")


def read_set_officially(reply: str, options: Sequence[str]) -> frozenset[str]:
    """Return the options that MDAR's script finds in a reply."""
    parts = (part.strip().rstrip(SIGNS_BEHIND) for part in PARTS.split(reply))
    return frozenset(part for part in parts if part in options)


def read_set(reply: str, options: Sequence[str]) -> frozenset[str] | None:
    """Return the options that a reply names, strictly; None where it names none, or contradicts itself."""
    if reply.strip() in options:
        return frozenset({reply.strip()})
    if letters := _find_letters(reply.strip().rstrip(".。")):
        return _pick_letters(letters, options)
    chosen = set[str]()
    for part in _split_parts(reply, options):
        found = _read_part(part, options)
        if found is None:
            return None
        chosen |= found
    return frozenset(chosen) or None


def _find_letters(reply: str) -> list[str]:
    """Return the letters of a reply that is letters only, behind what leads to them; nothing of any other."""
    led_in = LEAD_IN.match(reply)
    for text in (reply, reply[led_in.end() if led_in else 0 :]):
        marks = [mark for mark in BETWEEN.split(text) if mark]
        found = [[letter[1]] if (letter := LETTER.fullmatch(mark)) else _split_run(mark) for mark in marks]
        if found and all(found):
            return [letter for letters in found for letter in letters]
    return []


def _split_run(mark: str) -> list[str]:
    """Return the letters of a mark such as AC or (A)(C), in the order of the alphabet; nothing of a word."""
    letters = re.sub(r"[()\[\]]", "", mark)
    return (
        list(letters)
        if letters and set(letters) <= set(ascii_uppercase) and list(letters) == sorted(set(letters))
        else []
    )


def _pick_letters(letters: Sequence[str], options: Sequence[str]) -> frozenset[str] | None:
    places = [ascii_uppercase.index(letter) for letter in letters]
    return None if max(places) >= len(options) else frozenset(options[place] for place in places)


def _split_parts(reply: str, options: Sequence[str]) -> Iterator[str]:
    """Yield the lines of a reply that have words, and one that is not an option in its parts between semicolons."""
    texts = [_strip(option) for option in options]
    for line in (BULLET.sub("", line) for line in reply.splitlines()):
        yield from filter(str.strip, [line] if _strip(line) in texts else PARTS.split(line))


def _read_part(part: str, options: Sequence[str]) -> frozenset[str] | None:
    """Return the option that one line names; none for talk, None where letter and text differ or it is denied."""
    bare = _strip(part)
    texts = [_strip(option) for option in options]
    if bare in texts:
        return frozenset({options[texts.index(bare)]})
    if alone := LETTER.fullmatch(part.strip()):
        return _pick_letters(alone[1], options)
    if marked := OWN_LETTER.fullmatch(part.strip()):
        letter, text = (marked[1] or marked[2] or marked[3]).upper(), _strip(marked[4])
        place = ascii_uppercase.index(letter)
        if place < len(options) and (text == texts[place] or text == _strip(_unletter(options[place]))):
            return frozenset({options[place]})
        return None
    named = set[str]()
    for text in sorted(filter(None, texts), key=len, reverse=True):
        if text in bare:
            named.add(options[texts.index(text)])
            bare = bare.replace(text, " ")
    return None if named and any(BETWEEN.split(bare)) else frozenset(named)


def _unletter(option: str) -> str:
    marked = OWN_LETTER.fullmatch(option)
    return marked[4] if marked else option


def _strip(text: str) -> str:
    """Return a text in small letters and single spaces, without signs around it."""
    return " ".join(text.casefold().split()).strip("\"'“”*` ").rstrip(SIGNS_BEHIND)
