"""Times of day in words of many languages: "halb zehn", "neuf heures et demie" and "九時半" are all 9:30.

The words are data (`clock_words.json`, each as it is written); their orders are the same few in all languages, so a
text is read as a string of roles: numbers, hour, half, quarter, past, to. English is in `agents.reading.quantities`.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from agents.reading.spelled_numbers import SEPARATORS, UNSPACED, WORD, SpelledNumber, fold
from services.types import Value

OTHER = "x"
PAUSES = frozenset(",.;:!?()、。，！？।…")
"""Marks that end a phrase."""
FORMS = re.compile(
    r"""
    (?P<minute>[Nq])m?(?P<side>[+-])l?(?P<half>B?)(?P<hour>N)h?   # quarter past nine; five to half ten
  | Ml?(?P<lack>[Nq])m?(?P<of>N)h?                               # без четверти десять
  | (?P<before>[BqT])l?(?P<next>N)h?                             # halb zehn, dreiviertel zehn, половина десятого
  | (?P<from>[NZnd])h?Ml?(?P<less>[Nq])m?                        # dix heures moins le quart
  | (?P<full>[NZnd])h?a?l?(?P<three>N?)(?P<part>[Hq])            # nueve y media, nove e tre quarti
  | (?P<told>[NZnd])(?P<mark>h?a?)(?P<zero>Z?)(?P<and_minute>N)m? # neuf heures trente, nove e trenta, ni nul seks
  | (?P<whole>[NZ])l?h                                           # neun Uhr, la una en punto
  | (?P<noon>[nd])                                               # midi, minuit
    """,
    re.VERBOSE,
)
"""Roles: N number, Z zero, h hour, H half, B half before, q quarter, T three quarters, m minute, + past, - to, M minus,
l article, a and, n noon, d midnight."""
PARTS = {"H": 30, "B": 30, "q": 15, "T": 45}
HOURS = {"n": 12, "d": 0}


class ClockWords(Value):
    """Words of one language about the time of day; what a language does not use is empty."""

    hour: tuple[str, ...] = ()
    joint: tuple[str, ...] = ()
    """And: neuf heures et demie."""
    half: tuple[str, ...] = ()
    """After the hour that has begun: nueve y media."""
    half_before: tuple[str, ...] = ()
    """Before the hour that comes: halb zehn."""
    quarter: tuple[str, ...] = ()
    minute: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    minus: tuple[str, ...] = ()
    """After the hour, before minutes that are missing to it: diez menos cuarto."""
    article: tuple[str, ...] = ()
    """May stand before an hour or a quarter."""
    three_quarters: tuple[str, ...] = ()
    """Before the hour that comes: dreiviertel zehn."""
    noon: tuple[str, ...] = ()
    midnight: tuple[str, ...] = ()
    hours: tuple[tuple[str, ...], ...] = ()
    """Ordinals of the hours from one to twelve, where CLDR has none."""

    def list_roles(self) -> Iterator[tuple[str, str]]:
        """Yield each word or phrase with its role, as `FORMS` has it."""
        roles = zip("hHBqm+-MlaTnd", (*self._list_words(),), strict=True)
        return ((word, role) for role, words in roles for word in words)

    def _list_words(self) -> Sequence[tuple[str, ...]]:
        timed = (self.hour, self.half, self.half_before, self.quarter, self.minute)
        joints = (self.past, self.to, self.minus, self.article, self.joint)
        return (*timed, *joints, self.three_quarters, self.noon, self.midnight)


class TimePhrase(NamedTuple):
    """A time of day in words."""

    start: int
    end: int
    """Span in characters."""
    hour: int
    minute: int


def find_times(text: str, language: str, numbers: Sequence[SpelledNumber]) -> tuple[TimePhrase, ...]:
    """Find the times of day that words, or numbers beside one another, name.

    Args:
        text: in which they stand.
        language: its ISO 639 code; of one without words about the clock only "nine thirty" is found.
        numbers: of the text, in words and in digits, in order.

    """
    pieces = list(_split(text, language, numbers))
    found = FORMS.finditer("".join(piece.role for piece in pieces))
    return tuple(time for form in found if (time := _read(form, pieces)))


class _Piece(NamedTuple):
    role: str
    start: int
    end: int
    value: int
    """Of a number; -1 else."""


def _split(text: str, language: str, numbers: Sequence[SpelledNumber]) -> Iterator[_Piece]:
    """Split a text into numbers and words with a role; anything else keeps them apart."""
    roles = _read_roles(language)
    hours = _read_hours(language)
    known = {number.start: number for number in numbers if fold(text[number.start : number.end]) not in roles}
    words = _compile_words(language)
    place = 0
    while place < len(text):
        if number := known.get(place):
            values = [int(one.strip("#()")) for one in sorted(number.readings) if one.strip("#()").isdigit()]
            value = min(values, default=-1)
            yield _Piece("N" if value else "Z", number.start, number.end, value)
            place = number.end
        elif word := words.match(text, place):
            role, value = roles.get(fold(word[0]), OTHER), hours.get(fold(word[0]), -1)
            yield _Piece("N" if value > 0 else role, word.start(), word.end(), HOURS.get(role, value))
            place = word.end()
        else:
            if text[place] in PAUSES:
                yield _Piece(OTHER, place, place + 1, -1)
            place += 1


@cache
def _compile_words(language: str) -> re.Pattern[str]:
    """Return the pattern of a word; in a language that writes no spaces, of a word with a role, or a character."""
    if language not in UNSPACED:
        return WORD
    listed = sorted(_read_roles(language), key=len, reverse=True)
    return re.compile("|".join([*map(re.escape, listed), rf"[^{SEPARATORS}]"]))


def _read(form: re.Match[str], pieces: Sequence[_Piece]) -> TimePhrase | None:
    """Return the time that a form names; None where its numbers are not an hour and a minute."""

    def read_value(name: str) -> int:
        """Return the number or the part of an hour that a group stands for."""
        return PARTS[form[name]] if form[name] in "HBqT" else pieces[form.start(name)].value

    if form["side"]:
        minutes = read_value("minute") if form["side"] == "+" else -read_value("minute")
        time = 60 * read_value("hour") + minutes - (30 if form["half"] else 0)
    elif form["lack"]:
        time = 60 * read_value("of") - read_value("lack")
    elif form["before"]:
        time = 60 * read_value("next") - 60 + read_value("before")
    elif form["from"]:
        time = 60 * read_value("from") - read_value("less")
    elif form["part"]:
        parts = read_value("three") if form["three"] else 1
        time = 60 * read_value("full") + read_value("part") * parts if parts in {1, 3} else -1
    elif form["told"]:
        is_plain = not form["mark"] and not form["zero"] and read_value("and_minute") < 10
        time = (
            -1
            if is_plain or not 0 <= read_value("and_minute") < 60
            else 60 * read_value("told") + read_value("and_minute")
        )
    else:
        time = 60 * read_value("noon" if form["noon"] else "whole")
    start, end = pieces[form.start()].start, pieces[form.end() - 1].end
    return TimePhrase(start, end, *divmod(time, 60)) if 0 <= time <= 24 * 60 else None


@cache
def _read_roles(language: str) -> Mapping[str, str]:
    """Return folded word -> role; of a phrase its first word has the role, and the others count as articles."""
    roles: dict[str, str] = {}
    for phrase, role in _read_words(language).list_roles():
        first, *rest = phrase.split()
        roles.setdefault(fold(first), role)
        for word in rest:
            roles.setdefault(fold(word), "l")
    return roles


@cache
def _read_hours(language: str) -> Mapping[str, int]:
    """Return folded word -> hour."""
    hours = enumerate(_read_words(language).hours, start=1)
    return {fold(word): hour for hour, words in hours for word in words}


def _read_words(language: str) -> ClockWords:
    words = json.loads(Path(__file__).with_name("clock_words.json").read_text(encoding="utf-8"))
    return ClockWords.model_validate(words.get(language, {}))
