"""Temporal localisation among options: the times that options name, weighed by when something was found.

Options are points ("at 3 s"), ranges ("2.5-4 s"), places ("at the end") or parts ("the second half"). Which of its
edges a question asks for is not read off its words: a point counts by its distance from the nearest begin or end.
"""

import re
from collections.abc import Sequence
from math import exp
from typing import NamedTuple

from agents.reading.numbers import ORDINALS, spell_in_digits
from services.digest import hash_modules
from services.types import AudioClip, Evidence, Label

CODE = ("agents.listening.options.times", "agents.reading.numbers", "services.number_words")
"""What decides which option a time is."""
SPREAD_S = 0.5  # standard deviation of the times that options name
MOST_OFF_S = 1.5  # from which on no option is meant
LEAST = 0.01  # of the weight of an option without fault: what every other keeps
UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0}
UNIT = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b"
CLOCK = r"\d{1,2}(?::\d{2}){1,2}(?:\.\d+)?"
TIME = re.compile(
    rf"(?<![\w.:])(?:(?P<clock>{CLOCK})|(?P<before>{UNIT})\s*(?P<after>\d+(?:\.\d+)?)\b|(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>{UNIT})?)",
    re.IGNORECASE,
)
DASH = re.compile(r"\s*(?:-|–|—|\bto\b|\buntil\b|\btill\b|\band\b)\s*(?:second\s+)?", re.IGNORECASE)
BARE = re.compile(r"\W*\d+(?:\.\d+)?\W*")
PLACES = {"beginning": 0.0, "start": 0.0, "middle": 0.5, "end": 1.0}
PLACE = re.compile(rf"\b(?:at|in|near|towards?) the (?:very )?(?P<place>{'|'.join(PLACES)})\b", re.IGNORECASE)
PARTS = {"half": 2, "third": 3, "quarter": 4}
NTH = {"middle": 2, "last": -1} | {word: number for word, number in ORDINALS.items() if number <= max(PARTS.values())}
PART = re.compile(rf"\b(?P<nth>{'|'.join(NTH)})\s+(?P<part>{'|'.join(PARTS)})\b", re.IGNORECASE)


class _NamedTime(NamedTuple):
    """The time that an option names: a stretch, or a point, whose begin is its end."""

    start_s: float
    end_s: float

    def measure_fault_s(self, start_s: float, end_s: float) -> float:
        """Measure how far this is from what was found: a point from its nearest edge, a stretch by what is outside."""
        if self.start_s == self.end_s:
            return min(abs(self.start_s - start_s), abs(self.start_s - end_s))
        return max(0.0, self.start_s - start_s) + max(0.0, end_s - self.end_s)


def place_in_options(found: Sequence[Evidence], options: Sequence[str], clip: AudioClip) -> tuple[Evidence, ...]:
    """State which of some times it is at which something was found in a clip.

    Nothing where an option names no time, or where what was found is near none of them.
    """
    spans = [(one.start_s, clip.duration_s if one.end_s is None else one.end_s) for one in found]
    labels = _weigh_times(options, spans, clip.duration_s)
    if not labels:
        return ()
    surest = max(found, key=lambda one: one.confidence or 0.0)
    own = {"kind": "event", "text": f"Of the times asked about: {', '.join(map(str, labels))}.", "labels": labels}
    revision = f"{surest.revision}-{hash_modules(*CODE)[:8]}"
    return (surest.model_copy(update=own | {"revision": revision, "start_s": 0.0, "end_s": clip.duration_s}),)


def weigh_lengths(options: Sequence[str], length_s: float) -> tuple[Label, ...]:
    """Weigh options that are lengths by a measured one, the likeliest first; empty where none is near."""
    return _weigh_times(options, [(length_s, length_s)], length_s)


def name_times(options: Sequence[str], duration_s: float) -> bool:
    """Tell whether the options are times of a recording, all of them; bare numbers may as well be counts."""
    named = [None if BARE.fullmatch(spell_in_digits(one)) else _read_option(one, duration_s) for one in options]
    return len(options) > 1 and all(one is not None and one.start_s <= duration_s for one in named)


def _weigh_times(options: Sequence[str], found: Sequence[tuple[float, float]], duration_s: float) -> tuple[Label, ...]:
    """Weigh options by the spans in which something was found, the likeliest first; empty where there is nothing."""
    named = [one for option in options if (one := _read_option(option, duration_s))]
    if not found or len(options) < 2 or len(named) < len(options):
        return ()
    faults_s = [min(time.measure_fault_s(*one) for one in found) for time in named]
    if min(faults_s) > MOST_OFF_S:
        return ()
    weights = [exp(-0.5 * (fault_s / SPREAD_S) ** 2) + LEAST for fault_s in faults_s]
    shares = (weight / sum(weights) for weight in weights)
    labels = [Label.round_to_label(*one) for one in zip(options, shares, strict=True)]
    return tuple(sorted(labels, key=lambda label: -(label.probability or 0.0)))


def _read_option(option: str, duration_s: float) -> _NamedTime | None:
    """Read the time that an option names; None where it names none, or more than one stretch."""
    if part := PART.search(option):
        number, nth = PARTS[part["part"].lower()], NTH[part["nth"].lower()]
        nth = number if nth < 0 else nth
        return _NamedTime((nth - 1) * duration_s / number, nth * duration_s / number) if nth <= number else None
    if place := PLACE.search(option):
        middle_s = PLACES[place["place"].lower()] * duration_s
        return _NamedTime(middle_s, middle_s)
    text = spell_in_digits(option)
    times = list(TIME.finditer(text))
    is_alone = len(times) == 1 and times[0][0] == text.strip(" .")  # a bare number is one of seconds
    unit = next((one["unit"] or one["before"] for one in reversed(times) if one["unit"] or one["before"]), None)
    if not times or not (unit or is_alone or all(one["clock"] for one in times)):
        return None
    seconds = [_read_seconds(one, unit or "s") for one in times]
    if len(times) == 1:
        return _NamedTime(seconds[0], seconds[0])
    is_range = len(times) == 2 and DASH.fullmatch(text[times[0].end() : times[1].start()]) is not None
    return _NamedTime(seconds[0], seconds[1]) if is_range and seconds[0] < seconds[1] else None


def _read_seconds(time: re.Match[str], unit: str) -> float:
    """Read a time in seconds; where it has no unit of its own, in that of the others."""
    if time["clock"]:
        seconds = 0.0
        for part in time["clock"].split(":"):
            seconds = 60 * seconds + float(part)
        return seconds
    own = time["unit"] or time["before"] or unit
    return float(time["number"] or time["after"]) * UNITS_S[own[0].lower()]
