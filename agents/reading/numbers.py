"""Numbers in several spellings: `three`, `3`, `3.0` and `٣` are one number."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from string import ascii_uppercase

from services.number_words import TENS, UNITS

SMALL = {word: value for value, word in enumerate(UNITS)} | {word: 10 * tens for tens, word in enumerate(TENS, start=2)}
ORDINALS = {
    "first": 1,
    "second": 2,
    "third": 3,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "eleventh": 11,
    "twelfth": 12,
    "thirteenth": 13,
    "fourteenth": 14,
    "fifteenth": 15,
    "sixteenth": 16,
    "seventeenth": 17,
    "eighteenth": 18,
    "nineteenth": 19,
    "twentieth": 20,
    "thirtieth": 30,
    "fortieth": 40,
    "fiftieth": 50,
}
POWERS = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
WORD = "|".join(sorted({*SMALL, *POWERS}, key=len, reverse=True))
WORDS = re.compile(
    rf"\b(?:(?P<minus>minus|negative)\s+)?(?P<whole>(?:{WORD})(?:[\s-]+(?:and\s+)?(?:{WORD}))*)"
    rf"(?:\s+point(?P<point>(?:\s+(?:{'|'.join(UNITS[:10])}))+))?\b",
    re.I,
)
PLACE = re.compile(r"\b(?:option|choice|alternative)\s*(?:number|no\.|#|:)?\s*(\d{1,2})\b", re.I)
RANK = re.compile(
    rf"\b(?:the )?({'|'.join(rank for rank, n in ORDINALS.items() if n <= 20)}) (?:option|alternative)\b", re.I
)
# "one" is a number after these words, and a pronoun elsewhere: "the one that barks", "one can hear"
ONE = re.compile(r"\b(?:only|just|exactly|there(?:'s| is| was))\s+\Z", re.I)
NUM_BEFORE = 40  # characters in which they may stand
NO_WORD = re.compile(r"[\W_]*")
PRONOUN = re.compile(r"\s+(?:of|that|which|who|whose|can|could|may|might|is|was|has|hears?|more|or|thing)\b", re.I)
NUMERAL = re.compile(r"(?<![\w.,:/])(\d{1,3}(?:,\d{3})+|\d+)(\.\d+)?(?![\w%]|[.,:/]\d)")
NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
LONG_UNITS = {
    "beats? per minute": "bpm",
    "kilohertz": "khz",
    "hertz": "hz",
    "decibels?": "db",
    "milliseconds?": "ms",
    "(?:seconds?|secs?)": "s",
    "(?:minutes?|mins?)": "min",
    "per ?cent": "%",
}
"""Units in words -> their symbols, in small letters."""
UNIT = re.compile(rf"(?<=\d)[\s-]*(?:{'|'.join(f'(?P<u{n}>{unit})' for n, unit in enumerate(LONG_UNITS))})\b", re.I)
END = r"(?<![\w.,])(\d+(?:\.\d+)?)"  # of a range
UNIT_BETWEEN = r"(?:\s*[^\W\d]{1,12}\.?)??"
RANGE = re.compile(
    rf"(?:\b(?:from|between)\s+)?{END}{UNIT_BETWEEN}\s*(?:[-–—]|\b(?:(?:up )?to|through|until)\b)\s*{END}(?![.,]?\d)"
    rf"|\bbetween\s+{END}{UNIT_BETWEEN}\s+and\s+{END}(?![.,]?\d)",
    re.I,
)


def spell_in_digits(text: str) -> str:
    """Return the text with its numbers in digits, as short as they can be written."""
    text = "".join(str(unicodedata.decimal(char, char)) for char in text)
    value = unicodedata.numeric(text.strip(), None) if len(text.strip()) == 1 else None
    if value is not None and value == int(value):
        return str(int(value))
    return NUMERAL.sub(_shorten, WORDS.sub(lambda words: _write_in_digits(words, text), text))


def find_numbers(text: str) -> frozenset[str]:
    """Return the different numbers of a text that is spelled in digits."""
    return frozenset(NUMBER.findall(text))


def spell_shortly(text: str) -> str:
    """Return the text in digits, and units in words as their symbols: "ninety beats per minute" is "90 bpm"."""
    symbols = tuple(LONG_UNITS.values())
    return UNIT.sub(lambda unit: f" {symbols[int(str(unit.lastgroup)[1:])]}", spell_in_digits(text))


def spell_ranges_like_options(text: str, options: Iterable[str]) -> str:
    """Return the text with its range as an option writes it: "from 5 to 10 s" is "5-10 s" where that is one.

    A text that names the ranges of several options stays as it is.
    """
    known = {_read_range(found): found[0] for option in options for found in RANGE.finditer(option)}
    said = {_read_range(found) for found in RANGE.finditer(text)} if known else set()
    if len(said & known.keys()) != 1:
        return text
    return RANGE.sub(lambda found: known.get(_read_range(found), found[0]), text)


def _read_range(found: re.Match[str]) -> tuple[float, ...]:
    return tuple(float(end) for end in found.groups() if end is not None)


def find_places(text: str) -> Iterator[int]:
    """Yield the numbers that may be the place of an option, as in "option 3"."""
    yield from (int(place[1]) for place in PLACE.finditer(text))


def letter_ranks(text: str) -> str:
    """Return the text with ranks of options as their letters: "the second option" is "option B"."""
    return RANK.sub(lambda rank: f"option {ascii_uppercase[ORDINALS[rank[1].lower()] - 1]}", text)


def find_pronouns(text: str) -> tuple[tuple[int, int], ...]:
    """Return the places of "one" where it is a pronoun and no number, as spans in characters."""
    alone = (words for words in WORDS.finditer(text) if words[0].lower() == "one")
    return tuple(words.span() for words in alone if not _is_number(words, text))


def _shorten(numeral: re.Match[str]) -> str:
    fraction = (numeral[2] or "").rstrip("0").rstrip(".")
    return (numeral[1].replace(",", "").lstrip("0") or "0") + fraction


def _write_in_digits(words: re.Match[str], text: str) -> str:
    tokens = re.findall(r"[a-z]+", words["whole"].lower())
    if tokens == ["one"] and not words["point"] and not _is_number(words, text):
        return words[0]
    numbers = split_numbers(tokens)
    digits = " ".join(map(str, numbers))
    if words["point"]:
        digits += "." + "".join(str(SMALL[word]) for word in words["point"].lower().split())
    return f"-{digits}" if words["minus"] else digits


def _is_number(one: re.Match[str], text: str) -> bool:
    """Tell whether "one" is a number here."""
    after = text[one.end() :]
    return (
        (
            bool(NO_WORD.fullmatch(text, 0, one.start()))
            or bool(ONE.search(text[max(0, one.start() - NUM_BEFORE) : one.start()]))
        )
        and not PRONOUN.match(after)
        and (not after.strip(" .!*_\"')") or bool(text[: one.start()].strip(" *_\"'(")))
    )


def parse_whole_number(text: str) -> int | None:
    """Return the one whole number that a text is; None where it is none or several."""
    if text.isdigit():
        return int(text)
    words = re.findall(r"[a-z]+", text)
    numbers = split_numbers(words) if all(word in SMALL or word == "and" for word in words) else []
    return numbers[0] if len(numbers) == 1 else None


def split_numbers(tokens: list[str]) -> list[int]:
    """Return the numbers that a run of words names: "twenty one" is one number, "one two" are two."""
    numbers: list[int] = []
    done = current = 0  # millions and thousands; what is below them
    is_open = False
    previous = ""
    for word in tokens:
        if word == "and":
            continue
        if word in POWERS:
            if word == "hundred" and current >= POWERS[word]:  # "hundred hundred"
                numbers.append(done + current)
                done = current = 0
            current = max(current, 1) * POWERS[word]
            if word != "hundred":
                done, current = done + current, 0
        else:
            value = SMALL[word]
            fits = not is_open or previous in POWERS or (previous in TENS and 0 < value < 10)
            if not fits:
                numbers.append(done + current)
                done = current = 0
            current += value
        is_open, previous = True, word
    return [*numbers, done + current]
