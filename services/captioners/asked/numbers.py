"""Quantities among the options of a focus: small whole numbers, as of beats in a bar, and durations in seconds."""

import re
from collections.abc import Sequence

from services.number_words import UNITS

NUMBER = re.compile(rf"(?<![\w.])(?:\d+(?:\.\d+)?|{'|'.join(UNITS)})(?![\w.]*\d)(?=\b|s\b)", re.IGNORECASE)
SECONDS = re.compile(r"(?<=\d)\s*s\b|\b(?:secs?|seconds?)\b", re.IGNORECASE)
FEWEST_BEATS, MOST_BEATS = 2, 12  # in a bar


def read_numbers(option: str) -> list[float]:
    """Read the numbers of an option, in digits or as words up to nineteen."""
    found = (one.group().lower() for one in NUMBER.finditer(option))
    return [float(UNITS.index(one)) if one in UNITS else float(one) for one in found]


def read_durations_s(options: Sequence[str]) -> list[float]:
    """Read the duration that each option names, in seconds; empty where one names none, or several."""
    numbers = [read_numbers(one) if SECONDS.search(one) else [] for one in options]
    return [one[0] for one in numbers] if all(len(one) == 1 for one in numbers) else []


def are_beats(options: Sequence[str]) -> bool:
    """Say whether the options are numbers of beats as a bar may have, whole ones, and nothing that is measured."""
    numbers = [read_numbers(one) for one in options]
    return len(options) > 1 and all(
        len(one) == 1 and one[0].is_integer() and FEWEST_BEATS <= one[0] <= MOST_BEATS and not SECONDS.search(option)
        for one, option in zip(numbers, options, strict=True)
    )
