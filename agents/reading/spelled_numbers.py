"""Number words of some eighty languages: the inverse of rule-based number formatting (RBNF) by Unicode CLDR.

CLDR spells a number in every gender and case of a language; all spellings of the numbers up to `LAST`, and of round
ones beyond, are looked up in the text, the longest first. English, which joins numbers to times and prices, has a
grammar of its own in `agents.reading.quantities`.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from unicode_rbnf import FormatPurpose, RbnfEngine
from unicode_rbnf.engine import DEFAULT_TOLERANCE, NoRuleForNumberError, RulesetNotFoundError

LAST = 2_100
"""Up to here every number is spelled: hours, counts, prices and years."""
LAST_INFLECTED = 100
"""Up to here in every gender and case."""
ROUND = (*range(2_200, 10_000, 100), *range(3_000, 100_000, 1_000), 10**6, 2 * 10**6, 10**9)
YEARS = range(1_100, LAST)
"""Only these are spelled as years are."""
COUNTING = frozenset({"spellout-numbering", "spellout-numbering-year", "spellout-cardinal"})
CLDR_CODES = {"tl": "fil"}
"""ISO 639-1 code -> code of CLDR, where they differ."""
MOST_WORDS = 8
"""Of one number."""
ARTICLE = "(1)"
"""Reading of a word for 1 that may be an article."""
UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my"})
"""Languages that write no spaces between words."""
SEPARATORS = r"\s\d_\-‐‑–—.,;:!?()\[\]\"'“”„«»‘’…。、，！？।/"
WORD = re.compile(rf"[^{SEPARATORS}]+")
JOINT = re.compile(r"[\s\-‐‑]*")
ACCENTS = re.compile("[\u0300-\u036f]")
APOSTROPHE = re.compile(r"(?<=[\u0400-\u04ff])['’](?=[\u0400-\u04ff])")  # within a Cyrillic word: п'ять
AND = frozenset({"og", "och", "i", "и", "і", "та", "y", "e", "et", "und", "en", "ja", "es", "a", "si", "و", "ו"})
"""Folded words for "and", which may join the parts of a number."""


class SpelledNumber(NamedTuple):
    """A number in words."""

    start: int
    end: int
    """Span in characters."""
    readings: frozenset[str]
    """`9` a number, `#9` a rank, `(1)` a word that is an article as well; some words are several."""


def find_spelled(text: str, language: str) -> tuple[SpelledNumber, ...]:
    """Find the numbers that a text has in words, in order; none in a language that CLDR cannot spell.

    Args:
        text: as an ASR or a person wrote it.
        language: its ISO 639 code.

    """
    table = _read_spellings(language)
    if not table:
        return ()
    text = APOSTROPHE.sub("ʼ", text)
    found = tuple((_scan_characters if language in UNSPACED else _scan_words)(text, table))
    return tuple(_join_parts(text, found))


def fold(text: str) -> str:
    """Return a text without case, accents, hyphens and spaces: for comparing words, not for showing them."""
    plain = ACCENTS.sub("", unicodedata.normalize("NFD", text.casefold()))
    return re.sub(r"[\s\-‐‑ʼ\u200b\u00ad]", "", unicodedata.normalize("NFC", plain))


Spellings: TypeAlias = Mapping[str, frozenset[str]]
"""Folded spelling -> readings."""


class MemoisedEngine(RbnfEngine):
    """RBNF engine that formats each part of a number once (memoisation): "ninety-two" is a part of 192 and of 292."""

    def __init__(self, language: str) -> None:
        """Read the rules of a language, by its name in CLDR."""
        super().__init__(language)
        self.rulesets = RbnfEngine.for_language(language).rulesets
        self._texts: dict[tuple[str, object], str] = {}

    def iter_format_number(
        self,
        number: float | str | Decimal,
        ruleset_name: str,
        radix: int | None = None,
        tolerance: float = DEFAULT_TOLERANCE,
    ) -> tuple[str]:
        """Return the text of a number by a set of rules, in one piece."""
        key = (ruleset_name, number)
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = "".join(super().iter_format_number(number, ruleset_name, radix, tolerance))
        return (text,)


@cache
def _read_spellings(language: str) -> Spellings:
    readings: defaultdict[str, set[str]] = defaultdict(set)
    for region in sorted(RbnfEngine.get_supported_languages()):
        if region.split("_")[0] == CLDR_CODES.get(language, language):
            for spelling, reading in _spell(MemoisedEngine(region)):
                readings[spelling].add(reading)
    return {spelling: frozenset(found) for spelling, found in readings.items()}


def _spell(engine: RbnfEngine) -> Iterator[tuple[str, str]]:
    """Yield each spelling, folded, with what it stands for."""
    purposes = {
        purpose: [
            name
            for name, rules in engine.rulesets.items()
            if not rules.is_private and "spellout" in name and FormatPurpose.from_ruleset_name(name) is purpose
        ]
        for purpose in (FormatPurpose.CARDINAL, FormatPurpose.YEAR, FormatPurpose.ORDINAL)
    }
    attributive = {name for name in purposes[FormatPurpose.CARDINAL] if name not in COUNTING}
    articles = {fold(text) for name in attributive for text in _format(engine, 1, [name])}
    for number in (*range(LAST), *ROUND):
        for purpose, names in purposes.items():
            if purpose is FormatPurpose.YEAR and number not in YEARS:
                continue
            chosen = names if number <= LAST_INFLECTED else [name for name in names if name in COUNTING]
            mark = "#" if purpose is FormatPurpose.ORDINAL else ""
            for text in _format(engine, number, chosen):
                spelling = fold(text)
                if re.fullmatch(r"\D+", spelling):
                    yield spelling, ARTICLE if number == 1 and spelling in articles else f"{mark}{number}"


def _format(engine: RbnfEngine, number: int, names: list[str]) -> set[str]:
    """Return the different texts of a number by some sets of rules."""
    texts = set()
    for name in names:
        with suppress(NoRuleForNumberError, RulesetNotFoundError):  # ordinals of some languages end at a limit
            texts.add("".join(engine.iter_format_number(number, name)))
    return texts


def _scan_words(text: str, table: Spellings) -> Iterator[SpelledNumber]:
    words = list(WORD.finditer(text))
    folded = [fold(word[0]) for word in words]
    place = 0
    while place < len(words):
        size = min(MOST_WORDS, len(words) - place)
        while size and not _is_number(text, words[place : place + size], "".join(folded[place : place + size]), table):
            size -= 1
        if size:
            readings = table["".join(folded[place : place + size])]
            yield SpelledNumber(words[place].start(), words[place + size - 1].end(), readings)
        place += max(size, 1)


def _is_number(text: str, words: list[re.Match[str]], spelling: str, table: Spellings) -> bool:
    """Tell whether words are one number: a comma or a full stop between them ends it."""
    if spelling not in table:
        return False
    return all(JOINT.fullmatch(text[first.end() : second.start()]) for first, second in pairwise(words))


def _scan_characters(text: str, table: Spellings) -> Iterator[SpelledNumber]:
    longest = max(map(len, table))
    place = 0
    while place < len(text):
        size = min(longest, len(text) - place)
        while size and text[place : place + size] not in table:
            size -= 1
        if size:
            yield SpelledNumber(place, place + size, table[text[place : place + size]])
        place += max(size, 1)


def _join_parts(text: str, found: tuple[SpelledNumber, ...]) -> Iterator[SpelledNumber]:
    """Yield the numbers with their parts joined, as in "nine hundred" and "fourteen"."""
    before: SpelledNumber | None = None
    for number in found:
        value = _join_values(_read_value(before), _read_value(number)) if before else None
        if before and value is not None and _is_joint(text[before.end : number.start]):
            before = SpelledNumber(before.start, number.end, frozenset({str(value)}))
            continue
        if before:
            yield before
        before = number
    if before:
        yield before


def _is_joint(gap: str) -> bool:
    return bool(JOINT.fullmatch(gap)) or fold(gap) in AND


def _read_value(number: SpelledNumber) -> int:
    return next((int(reading) for reading in sorted(number.readings) if reading.isdigit()), 0)


def _join_values(first: int, second: int) -> int | None:
    """Return the number that two parts make: 900 and 14 are 914, 3 and 1000 are 3000; None where they make none."""
    if not first or not second:
        return None
    if second in {100, 1_000, 10**6} and first < second:
        return first * second
    zeros = len(str(first)) - len(str(first).rstrip("0"))
    return first + second if zeros > 1 and second < 10**zeros else None
