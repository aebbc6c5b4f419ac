"""Quantities in spoken and in written form: `nine thirty`, `9.30`, `half past nine` and `9:30 a.m.` are one time.

A mention may have several readings ("nine thirty" is a time, a price and a number of three digits); two mentions are
the same quantity where they share one. Number words are read by a grammar of English; those of other languages are
looked up (`agents.reading.spelled_numbers`). Digits are those of any script.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple, TypeAlias

from agents.reading.clock_phrases import find_times
from agents.reading.numbers import ORDINALS, SMALL, WORD, parse_whole_number, split_numbers
from agents.reading.spelled_numbers import ARTICLE, SpelledNumber, find_spelled
from services.number_words import UNITS
from services.types import Choice, Question

Values: TypeAlias = frozenset[str]
"""Canonical readings of a mention: `9.5` a number, `9:30` a time, `#3` a rank; `~9:30` one of the two times that a
clock with hands shows so, where the half of the day is not said."""

ENGLISH = "en"

MONTH = (
    "january|february|march|april|may|june|july|august|september|october|november|december|"
    "jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
POWER = {"hundred": 100, "thousand": 1_000, "million": 1_000_000, "billion": 1_000_000_000, "dozen": 12}
DIGIT = f"{'|'.join(UNITS[:10])}|oh"
RUN = rf"(?:{WORD}|oh)(?:(?:[\s-]+|(?<=thousand|.million),\s+)(?:and\s+)?(?:{WORD}|oh))*"
HALF_DAY = r"(?:\s*(?P<{}>[ap])\.?\s?m\b\.?)"
CLOCK_PART = {"half": 30, "a quarter": 15, "quarter": 15}

DIGITAL = rf"\b(?P<h>\d{{1,2}})(?P<sep>[:.h])(?P<min>[0-5]\d)(?![\d:.]?\d){HALF_DAY.format('m2')}?"
FORMS = re.compile(
    rf"""
    (?P<noon>\b(?:noon|midday)\b) | (?P<midnight>\bmidnight\b)
  | \b(?P<part>half|(?:a\s+)?quarter|(?:{RUN}|\d{{1,2}})(?:\s+minutes?)?)\s+(?P<side>past|after|to|before|till)\s+
       (?P<hour>(?:{WORD})|noon|midday|midnight|\d{{1,2}}(?![:.]?\d))\b{HALF_DAY.format("m1")}?
  | {DIGITAL}
  | (?P<digits>(?<![\w.])\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|(?<![\w.])\d+(?:\.\d+)?)
       (?:(?P<th>st|nd|rd|th)\b|(?:\s+(?P<power>{"|".join(POWER)})\b))?
       (?P<o1>\s+o['’]?clock\b)?{HALF_DAY.format("m3")}?
  | \b(?P<words>{RUN})(?P<point>(?:\s+point(?:\s+(?:{DIGIT}))+)?)
       (?P<frac>\s+and\s+(?:a\s+half|a\s+quarter|three\s+quarters))?
       (?:[\s-]+(?P<wth>{"|".join(ORDINALS)})\b)?(?P<o2>\s+o['’]?clock\b)?{HALF_DAY.format("m4")}?(?!\w)
  | \bpoint\s+(?P<tenths>(?:{DIGIT})(?:\s+(?:{DIGIT}))*)\b
  | \b(?P<rank>{"|".join(ORDINALS)})\b
  | \b(?:a\s+)?(?P<dozen>dozen)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
FOREIGN_CLOCK = re.compile(DIGITAL, re.IGNORECASE)
FOREIGN_NUMBER = re.compile(r"(?<![\w.,:])\d+(?:[.,\u00a0\u202f]\d+)*(?![:h]\d)")
"""With a point or a comma for thousands or for tenths."""
NAMED = {
    "noon": frozenset({"12:00"}),
    "midnight": frozenset({"0:00", "24:00"}),
    "dozen": frozenset({"12"}),
}
NAMED_HOURS = {"noon": 12, "midday": 12, "midnight": 0}
HALVES_OF_A_DAY = re.compile(
    r"\b(?:[ap]\.?\s?m|mornings?|afternoons?|evenings?|nights?|tonight)\b|(?<=\d)[ap]\.?m\b", re.IGNORECASE
)
EDGES = " \t\r\n\"'`*_.,;:!?()[]"  # what may stand around a reply that is one quantity
FRACTIONS = {"half": Decimal("0.5"), "quarter": Decimal("0.25"), "quarters": Decimal("0.75")}
HOURS = range(25)
SERIES = re.compile(rf"\b(?:\d|{DIGIT})(?:[,\s-]+(?:\d|{DIGIT})\b)+", re.IGNORECASE)
AT_TIME = (
    re.compile(r"\b(?:at|by|until|till|since|from|before|after|around)\s+\Z", re.IGNORECASE),
    re.compile(r"\s*(?:[.,;!?]|\Z|(?:and|on|to|until|till|tonight|today|tomorrow|sharp|in\s+the)\b)", re.IGNORECASE),
)
NUM_BEFORE = 40  # characters before a number in which a preposition or a month may stand
FROM = re.compile(r"\bfrom\s+\Z", re.IGNORECASE)  # before a range: "from two to four" is not two minutes to four
NEAR_MONTH = (
    re.compile(rf"\b(?:{MONTH})\b\.?\s*(?:the\s+)?\Z", re.IGNORECASE),
    re.compile(rf"(?:\s+of)?\s+(?:{MONTH})\b", re.IGNORECASE),
)


class QuantityMention(NamedTuple):
    """One mention of a quantity in a text."""

    start: int
    end: int
    """Span in characters."""
    values: Values


def find_quantities(text: str, language: str | None = None) -> tuple[QuantityMention, ...]:
    """Find the quantities that a text mentions, in order; a series of digits is one more, as what it spells.

    Args:
        text: as an ASR or a person wrote it.
        language: its ISO 639 code; None: English.

    """
    text = _normalise_digits(text)
    if language not in {None, ENGLISH}:
        return tuple(sorted(_scan_foreign(text, language)))
    found = list(_scan(text, 0, len(text)))
    spans = {(one.start, one.end) for one in found}
    series = [
        QuantityMention(one.start(), one.end(), frozenset({_spell_series(one[0])}))
        for one in SERIES.finditer(text)
        if one.span() not in spans
    ]
    return tuple(sorted((*found, *series)))


def _scan(text: str, start: int, end: int) -> Iterator[QuantityMention]:
    """Yield the mentions from one place to another; "nine thirty to ten" is not a time, but two."""
    while one := FORMS.search(text, start, end):
        start = max(one.end(), start + 1)
        if values := _read(one, text):
            yield QuantityMention(one.start(), one.end(), values)
        elif one["side"]:
            yield from _scan(text, one.start(), one.start("side"))
            start = one.start("hour")


def _scan_foreign(text: str, language: str) -> Iterator[QuantityMention]:
    """Yield the mentions of a text that is not in English: numbers and times of day, in digits and in words."""
    clocks = [QuantityMention(one.start(), one.end(), _read_digital_clock(one)) for one in FOREIGN_CLOCK.finditer(text)]
    yield from clocks
    numerals = [
        SpelledNumber(one.start(), one.end(), frozenset(_read_marked(one[0])))
        for one in FOREIGN_NUMBER.finditer(text)
        if not any(clock.start < one.end() and one.start() < clock.end for clock in clocks)
    ]
    numbers = sorted((*numerals, *find_spelled(text, language)))
    yield from (QuantityMention(*number) for number in numbers if ARTICLE not in number.readings)
    for time in find_times(text, language, numbers):
        hours = (0, 24) if time.hour in {0, 24} else (time.hour,)
        values = (value for hour in hours for value in _spell_times(hour, time.minute, None))
        yield QuantityMention(time.start, time.end, frozenset(values))
    yield from _join_series(text, numbers)


def _read_marked(numeral: str) -> Iterator[str]:
    """Yield the readings of a numeral whose point or comma may stand for thousands or for tenths."""
    *whole, last = re.split(r"[^\d]", numeral)
    if all(len(part) == 3 for part in (*whole[1:], last)) or not whole:
        yield "".join((*whole, last)).lstrip("0") or "0"
    if whole:
        yield _format_number(Decimal(f"{''.join(whole)}.{last}"))


def _join_series(text: str, numbers: list[SpelledNumber]) -> Iterator[QuantityMention]:
    """Yield the runs of single digits, as what they spell."""
    run: list[SpelledNumber] = []
    for number, following in pairwise([*numbers, None]):
        assert number is not None, "only the last one is none"
        if _read_digit(number):
            run.append(number)
        gap = text[number.end : following.start] if following else "."
        if not _read_digit(number) or re.search(r"[^\s,-]", gap):
            if len(run) > 1:
                yield QuantityMention(run[0].start, run[-1].end, frozenset({"".join(map(_read_digit, run))}))
            run = []


def _read_digit(number: SpelledNumber) -> str:
    """Return the digit that a number is; empty where it is none."""
    values = (reading.strip("()") for reading in number.readings)
    return next((value for value in values if len(value) == 1 and value.isdigit()), "")


def _normalise_digits(text: str) -> str:
    """Return the text with digits of any script as ASCII, each in its place."""
    return "".join(str(unicodedata.decimal(char, char)) for char in text)


def _spell_series(text: str) -> str:
    words = re.findall(r"\d|[a-z]+", text.lower())
    return "".join(word if word.isdigit() else "0" if word == "oh" else str(SMALL[word]) for word in words)


def _read(one: re.Match[str], text: str) -> Values:
    """Return the readings of a mention."""
    named = next((values for name, values in NAMED.items() if one[name]), None)
    if named:
        return named
    if one["side"]:
        is_range = one["side"].lower() in {"to", "till"} and FROM.search(text[: one.start()])
        return frozenset() if is_range else _read_clock(one)
    if one["h"]:
        return _read_digital_clock(one)
    if one["tenths"]:
        digits = _spell_series(one["tenths"])
        return frozenset({_format_number(Decimal(f"0.{digits}")), digits})  # "at this point seven"
    if one["rank"]:
        return _add_day(one, text, frozenset({f"#{ORDINALS[one['rank'].lower()]}"}))
    values = _read_digits(one) if one["digits"] else frozenset(_read_words(one))
    return _add_full_hour(one, text, _add_day(one, text, values))


def _read_digital_clock(one: re.Match[str]) -> Values:
    """Read hours and minutes in digits; with a full stop between them they may be a decimal number as well."""
    hour, minute = int(one["h"]), int(one["min"])
    times = frozenset(_spell_times(hour, minute, one["m2"]))
    is_decimal = one["sep"] == "." and not one["m2"]
    return times | {_format_number(Decimal(f"{hour}.{one['min']}"))} if is_decimal else times


def _add_full_hour(one: re.Match[str], text: str, values: Values) -> Values:
    """Add the full hour where a number stands as a time does: "at nine.", "from two to four"."""
    before, after = AT_TIME
    if not before.search(text[max(0, one.start() - NUM_BEFORE) : one.start()]) or not after.match(text, one.end()):
        return values
    return values | {f"{value}:00" for value in values if len(value) <= 2 and value.isdigit() and int(value) <= 24}


def _add_day(one: re.Match[str], text: str, values: Values) -> Values:
    """Add the day beside the name of a month, which is a number and a rank."""
    before, after = NEAR_MONTH
    if not before.search(text[max(0, one.start() - NUM_BEFORE) : one.start()]) and not after.match(text, one.end()):
        return values
    days = {value.removeprefix("#") for value in values}
    return values | days | {f"#{day}" for day in days if day.isdigit()}


def _read_clock(one: re.Match[str]) -> Values:
    """Read minutes past or to an hour."""
    part = " ".join(one["part"].lower().split()).removesuffix("minutes").removesuffix("minute").strip()
    minutes = CLOCK_PART.get(part) or parse_whole_number(part)
    hour = NAMED_HOURS.get(one["hour"].lower(), parse_whole_number(one["hour"].lower()))
    if minutes is None or hour is None or not 0 < minutes < 60 or not 0 <= hour <= 24:
        return frozenset()
    if one["side"].lower() in ("past", "after"):
        return frozenset(_spell_times(hour, minutes, one["m1"]))
    return frozenset(_spell_times((hour - 1) % 24 if hour != 1 else 12, 60 - minutes, one["m1"]))


def _spell_times(hour: int, minute: int, half_day: str | None) -> Iterator[str]:
    """Yield a time as it is said, and on the clock of 24 hours where the half of the day is known."""
    if hour > 24:
        return
    yield f"{hour}:{minute:02}"
    if half_day and 1 <= hour <= 12:
        yield f"{hour % 12 + (12 if half_day.lower() == 'p' else 0)}:{minute:02}"
    elif not half_day:
        yield f"~{hour % 12 or 12}:{minute:02}"


def _format_number(value: Decimal) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _read_digits(one: re.Match[str]) -> Values:
    value = Decimal(one["digits"].replace(",", "")) * POWER.get((one["power"] or "").lower(), 1)
    values = {_format_number(value)}
    if one["th"]:
        values = {f"#{_format_number(value)}"}
    if (one["o1"] or one["m3"]) and value in HOURS:
        values |= set(_spell_times(int(value), 0, one["m3"]))
    return frozenset(values)


def _read_words(one: re.Match[str]) -> Iterator[str]:
    """Yield the readings of a run of number words: one number, or several that make a time, a price or digits."""
    words = ["zero" if word == "oh" else word for word in re.findall(r"[a-z]+", one["words"].lower())]
    numbers = split_numbers([word for word in words if word != "and"])
    if one["wth"]:
        yield f"#{numbers[-1] + ORDINALS[one['wth'].lower()]}"
        return
    if one["point"]:
        digits = "".join("0" if word == "oh" else str(SMALL[word]) for word in one["point"].lower().split()[1:])
        yield _format_number(Decimal(f"{numbers[-1]}.{digits}"))
        return
    if one["frac"]:
        yield _format_number(numbers[-1] + FRACTIONS[one["frac"].lower().split()[-1]])
        return
    yield _format_number(Decimal("".join(map(str, numbers))))
    hour, minutes = numbers[0], numbers[1:]
    if len(minutes) == 2 and minutes[0] == 0 and minutes[1] < 10:
        minutes = minutes[1:]
        yield from _spell_times(hour, minutes[0], one["m4"])
    elif len(minutes) == 1 and 10 <= minutes[0] < 60:
        yield from _spell_times(hour, minutes[0], one["m4"])
        yield _format_number(Decimal(f"{hour}.{minutes[0]:02}"))
    elif len(minutes) == 1 and 60 <= minutes[0] < 100:
        yield _format_number(Decimal(f"{hour}.{minutes[0]:02}"))
    elif not minutes and (one["o2"] or one["m4"]):
        yield from _spell_times(hour, 0, one["m4"])


def match_options(text: str, question: Question, language: str | None = None) -> Mapping[str, frozenset[str]]:
    """Return option letter -> readings that the option shares with a text; only where each of its quantities is there.

    An option without a quantity is left out, and so is one that has the time of a text on a clock with hands where
    another one has that very time.

    Args:
        text: what was said.
        question: with its options, in English or in the language of the text.
        language: of the text, an ISO 639 code; None: English.

    """
    said = [quantity.values for quantity in find_quantities(text, language)]
    found: dict[str, frozenset[str]] = {}
    for choice in question.choices:
        wanted = select_widest(_find_in_option(choice.text, language))
        shared = [frozenset[str]().union(*(one & quantity.values for one in said)) for quantity in wanted]
        if shared and all(shared):
            found[choice.letter] = frozenset[str]().union(*shared)
    exact = {letter: values for letter, values in found.items() if not all(map(_is_on_hands, values))}
    return exact or found


@lru_cache(maxsize=256)  # an option meets each statement of a transcript
def _find_in_option(text: str, language: str | None) -> tuple[QuantityMention, ...]:
    """Find the quantities of an option, which may be in English or in the language of the recording."""
    english = find_quantities(text)
    return english if language in {None, ENGLISH} else (*english, *find_quantities(text, language))


def _is_on_hands(value: str) -> bool:
    return value.startswith("~")


def spell_like_options(text: str, question: Question, language: str | None = None) -> str:
    """Return a text whose quantities are spelled as the one option that names the same quantity spells it.

    Args:
        text: what was said.
        question: with its options.
        language: of the text, an ISO 639 code; None: English.

    """
    spelled = [
        (quantity.values, choice.text[quantity.start : quantity.end])
        for choice in question.choices
        for quantity in select_widest(_find_in_option(choice.text, language))
    ]
    for quantity in reversed(select_widest(find_quantities(text, language))):
        shared = [(values & quantity.values, spelling) for values, spelling in spelled if values & quantity.values]
        exact = [pair for pair in shared if not all(map(_is_on_hands, pair[0]))]
        same = {spelling for _, spelling in exact or shared}
        if len(same) == 1:
            text = text[: quantity.start] + same.pop() + text[quantity.end :]
    return text


def spell_times_like_options(text: str, choices: tuple[Choice, ...]) -> str | None:
    """Return a reply with its times spelled as the option that names the same time; None where none can be read.

    That is done where every option names one quantity and every quantity of the reply is the time of one option. No
    option can be read where the reply names a time that is not offered, or a half of the day where options are half a
    day apart. A reply that is a rank and nothing else ("third" for "3rd") is spelled likewise.
    """
    offered = [select_widest(find_quantities(choice.text)) for choice in choices]
    said = select_widest(find_quantities(text))
    if not said or any(len(one) != 1 for one in offered):
        return text
    wanted = [one[0].values for one in offered]
    has_halves = any(HALVES_OF_A_DAY.search(one) for one in (text, *(choice.text for choice in choices)))
    is_alone = len(said) == 1 and not text[: said[0].start].strip(EDGES) and not text[said[0].end :].strip(EDGES)
    if has_halves and _are_half_a_day_apart(wanted):
        return text if any(HALVES_OF_A_DAY.search(choice.text) for choice in choices) else None
    spelled = text
    for quantity in reversed(said):
        shared = [{value for value in quantity.values & one if ":" in value or is_alone} for one in wanted]
        if not any(shared) and any(map(_is_time, wanted)) and _is_time(quantity.values):
            return None
        if has_halves or sum(map(bool, shared)) != 1:
            return text
        chosen = next(number for number, values in enumerate(shared) if values)
        if not any(":" in value or value.startswith("#") for value in shared[chosen]):
            return text
        spelling = choices[chosen].text[offered[chosen][0].start : offered[chosen][0].end]
        spelled = spelled[: quantity.start] + spelling + spelled[quantity.end :]
    return spelled


def _is_time(values: Values) -> bool:
    return any(":" in value for value in values)


def _are_half_a_day_apart(times: list[Values]) -> bool:
    """Tell whether two times differ by twelve hours: without a.m. or p.m. a reply may mean either."""
    clocks = {value for values in times for value in values if ":" in value and not _is_on_hands(value)}
    return any(f"{int(hour) + 12}:{minute}" in clocks for hour, minute in (one.split(":") for one in clocks))


def select_widest(quantities: tuple[QuantityMention, ...]) -> tuple[QuantityMention, ...]:
    """Return quantities that do not overlap: a series of digits rather than its digits."""
    kept: list[QuantityMention] = []  # in order
    for one in sorted(quantities, key=lambda quantity: quantity.start - quantity.end):
        place = bisect_left(kept, one)
        if all(one.end <= other.start or other.end <= one.start for other in kept[max(0, place - 1) : place + 1]):
            kept.insert(place, one)
    return tuple(kept)
