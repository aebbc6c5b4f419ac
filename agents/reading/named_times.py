"""Temporal expressions: the spans of a recording that a question names, such as "minute 12" or "from 3:20 to 4:00".

Times are named by clock (`12:30`, `1:02:30`), by unit (`after 90 seconds`, `the twelfth minute`, `half an hour in`),
by a range of either, or by place (`the first two minutes`, `at the end`, `the second half`). A length of time (`a
pause of 3 seconds`) names none.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from agents.reading.numbers import ORDINALS, SMALL, spell_in_digits
from services.longform.clock import WHOLE_S

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
NEAR_S = {"s": 5.0, "m": 60.0, "h": 600.0}
"""Unit of a time -> how far around it is meant."""
CLOCK_NEAR_S = 30.0
SHORTEST_S = 0.5  # a shorter span is not heard by itself
MOST_OF_CLIP = 0.8  # a span longer than this share of the clip is as good as all of it
SHARE_OF_END = 0.1  # of the recording, that "at the end" means

UNIT = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b"
AMOUNT = r"(?:\d+(?:\.\d+)?|half an|half a|an?)"
CLOCK = r"\d{1,2}:\d{2}(?::\d{2})?"
UNITS_THEN_NUMBER = rf"(?:seconds?|minutes?|hours?) {AMOUNT}"
TIME = rf"(?:{CLOCK}|{AMOUNT}\s*{UNIT}|{UNITS_THEN_NUMBER}|\d+(?:\.\d+)?)"
SOME = rf"{AMOUNT}\s*{UNIT}(?:(?: and)? {AMOUNT}\s*{UNIT})*"
RANGE = re.compile(
    rf"\bbetween (?P<low>{TIME}) and (?P<high>{TIME})"
    rf"|\b(?P<start>{TIME})\s*(?:-|–|—|to|until|till|through)\s*(?P<end>{TIME})"
)
AT = re.compile(
    rf"\b(?:at|about|around|near|after|before|by|from|since|towards?|past|@)\s+(?:about |around )?"
    rf"(?P<time>{CLOCK}|{SOME})(?! (?:of|long|in\b|into|mark)\b)"
)
INTO = re.compile(rf"\b(?P<time>{SOME})\s+(?:in\b|into\b|mark\b)")
NUMBERED = re.compile(rf"\b(?P<time>{UNITS_THEN_NUMBER})\b")
NTH = re.compile(r"\b(?P<number>\d+)(?:st|nd|rd|th)? (?P<unit>second|minute|hour)\b(?! (?:in|into|mark)\b)")
EDGES = ("first", "opening", "initial", "last", "final", "closing")
PLACES = ("beginning", "start", "middle", "end")
EDGE = re.compile(rf"\b(?P<edge>{'|'.join(EDGES)})\s+(?P<time>(?:{AMOUNT}\s+)?{UNIT})")
PLACE = re.compile(rf"\b(?:at|in|near|towards?) the (?:very )?(?P<place>{'|'.join(PLACES)})\b")
HALF = re.compile(
    r"\b(?P<half>first|opening|second|last|final|latter|other) half\b(?![ -](?:an?\b|hours?\b|minutes?\b|seconds?\b))"
)
TIME_WORD = re.compile(rf"\d+\w*|{UNIT}|{'|'.join((*SMALL, *ORDINALS, *EDGES, *PLACES))}|half|mark")
PART = re.compile(rf"({AMOUNT})\s*({UNIT})")


class NamedSpan(NamedTuple):
    """A span of the recording that a question names."""

    start_s: float
    end_s: float

    def overlaps(self, start_s: float, end_s: float | None) -> bool:
        """Say whether another span has a moment in common with it; an end of None is that of the recording."""
        return start_s < self.end_s and (end_s is None or end_s > self.start_s)


class _Time(NamedTuple):
    seconds: float
    near_s: float
    """How far around it is meant."""
    unit: str


def find_named_spans(question: str, duration_s: float) -> tuple[NamedSpan, ...]:
    """Return the spans that the words of a question name, ranges before edges before single times."""
    pieces = _number_ordinals(question.lower()).split(" and ")  # "five and ten" would be read as one run of words
    text = " and ".join(map(spell_in_digits, pieces))
    finders: Sequence[Callable[[str, float], Iterator[NamedSpan]]] = (_find_ranges, _find_edges, _find_times)
    for find in finders:
        spans = [
            NamedSpan(max(0.0, start_s), min(duration_s, end_s))
            for start_s, end_s in find(text, duration_s)
            if start_s < duration_s and end_s > 0
        ]
        if spans:
            return tuple(sorted(set(spans)))
    return ()


def choose_span(question: str, duration_s: float) -> NamedSpan | None:
    """Choose the first span that a question names; None where it names none that is worth hearing by itself."""
    named = find_named_spans(question, duration_s)
    return fit_span(*named[0], duration_s) if named else None


def fit_span(start_s: float, end_s: float, duration_s: float) -> NamedSpan | None:
    """Fit a span into a clip, and into what is heard at one go; None where it is too short or nearly the whole clip."""
    start_s = max(0.0, start_s)
    end_s = min(duration_s, end_s, start_s + WHOLE_S)
    is_worth_it = SHORTEST_S <= end_s - start_s <= MOST_OF_CLIP * duration_s
    return NamedSpan(start_s, end_s) if is_worth_it else None


def remove_times(question: str) -> str:
    """Return a question that names times without numbers and units: such words are not looked for in what is said."""
    words = re.findall(r"\w+", question.lower())
    return " ".join(word for word in words if not TIME_WORD.fullmatch(word))


def _find_ranges(text: str, duration_s: float) -> Iterator[NamedSpan]:  # noqa: ARG001 - of one form with the others
    for match in RANGE.finditer(text):
        first, last = match["start"] or match["low"], match["end"] or match["high"]
        end = _read(last)
        start = _read(first, end.unit if end else "")
        end = end or (_read(last, start.unit) if start else None)
        if start and end and start.seconds < end.seconds:
            yield NamedSpan(start.seconds, end.seconds)


def _find_edges(text: str, duration_s: float) -> Iterator[NamedSpan]:
    for match in EDGE.finditer(text):
        time = _read(match["time"] if re.match(AMOUNT + r"\s", match["time"]) else f"1 {match['time']}")
        if time and match["edge"] in EDGES[:3]:
            yield NamedSpan(0.0, time.seconds)
        elif time:
            yield NamedSpan(duration_s - time.seconds, duration_s)


def _find_times(text: str, duration_s: float) -> Iterator[NamedSpan]:
    for pattern in (AT, INTO, NUMBERED):
        for match in pattern.finditer(text):
            if time := _read(match["time"]):
                yield NamedSpan(time.seconds - time.near_s, time.seconds + time.near_s)
    for match in NTH.finditer(text):
        unit_s = UNITS_S[match["unit"][0]]
        yield NamedSpan((float(match["number"]) - 1) * unit_s, float(match["number"]) * unit_s)
    for match in HALF.finditer(text):
        start_s = 0.0 if match["half"] in EDGES[:2] else duration_s / 2
        yield NamedSpan(start_s, start_s + duration_s / 2)
    share_s = SHARE_OF_END * duration_s
    places = dict(zip(PLACES, (0.0, 0.0, (duration_s - share_s) / 2, duration_s - share_s), strict=True))
    for match in PLACE.finditer(text):
        yield NamedSpan(places[match["place"]], places[match["place"]] + share_s)


def _read(text: str, unit: str = "") -> _Time | None:
    """Return a time; a bare number is counted in `unit`, and is none without."""
    if ":" in text:
        seconds = 0
        for part in text.split(":"):
            seconds = 60 * seconds + int(part)
        return _Time(float(seconds), CLOCK_NEAR_S, "clock")
    if parts := PART.findall(text):
        seconds_s = sum(_count(amount) * UNITS_S[of[0]] for amount, of in parts)
        return _Time(seconds_s, NEAR_S[parts[-1][1][0]], parts[-1][1][0])
    words = text.split()
    own = words[0][0] if len(words) > 1 else unit
    if own not in UNITS_S:
        return None
    amount = _count(words[-1])
    return _Time(amount * UNITS_S[own], NEAR_S[own], own)


def _count(amount: str) -> float:
    word = amount.split(maxsplit=1)[0]
    return {"half": 0.5, "a": 1.0, "an": 1.0}.get(word) or float(word)


def _number_ordinals(text: str) -> str:
    """Return the text with ordinals before a unit as numbers: `the twelfth minute` is `the 12 minute`."""
    found = re.compile(rf"\b({'|'.join(ORDINALS)}) (?=(?:minute|hour)\b)")
    return found.sub(lambda match: match[0] if match[1] == "first" else f"{ORDINALS[match[1]]}th ", text)
