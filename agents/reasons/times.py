"""Times in claims: moments and spans of the recording, such as "at 3.1 s", "from 3.1 to 4.0 seconds" or "1:05-1:10"."""

import re
from collections.abc import Iterator
from typing import NamedTuple

POINT = r"\d+(?::\d{2}){1,2}(?:\.\d+)?|\d+(?:\.\d+)?"
UNIT = r"ms|milliseconds?|s|secs?|seconds?|mins?|minutes?|hrs?|hours?"
BETWEEN = r"\s*(?:-|–|—|to\b|and\b|until\b|till\b)\s*"
TIME = re.compile(
    rf"(?<![\w.:])(?:(?P<start>{POINT})(?:\s*(?:{UNIT})\b)?{BETWEEN})?(?P<end>{POINT})(?:\s*(?P<unit>{UNIT})\b)?(?!\w|[:.]\d)"
)
UNITS_S = {"ms": 0.001, "mi": 60.0, "s": 1.0, "h": 3600.0}
"""Beginning of a unit, the longer one first -> seconds."""
CLOCK_NEAR_S = 1.0  # a clock shows whole seconds that have passed


class TimeMention(NamedTuple):
    """A moment or a span that a text names."""

    start: int
    end: int
    """Span in characters."""
    start_s: float
    end_s: float
    near_s: float
    """How exactly it is written: half of its last digit."""
    is_clock: bool
    """Whether it is written as a clock shows it, and so may be a time of day."""

    def is_within(self, start_s: float, end_s: float | None) -> bool:
        """Say whether it lies within a span; an end of None is that of the recording."""
        is_after = self.start_s >= start_s - self.near_s
        return is_after and (end_s is None or self.end_s <= end_s + self.near_s)


def find_times(text: str) -> Iterator[TimeMention]:
    """Yield the times that a text names, in digits with a unit or as a clock shows them, in order."""
    for found in TIME.finditer(text):
        first, last, unit = found["start"] or found["end"], found["end"], found["unit"]
        is_clock = ":" in last
        if not unit and not is_clock:
            continue
        scale = _find_scale(unit) if unit and not is_clock else 1.0
        start_s, end_s = (read_time(one) * (1.0 if ":" in one else scale) for one in (first, last))
        near_s = CLOCK_NEAR_S if is_clock else 0.5 * scale * 10.0 ** -max(map(count_decimals, (first, last)))
        yield TimeMention(
            start=found.start(), end=found.end(), start_s=start_s, end_s=end_s, near_s=near_s, is_clock=is_clock
        )


def read_time(text: str) -> float:
    """Read a number, or hours, minutes and seconds between colons, as seconds."""
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


def _find_scale(unit: str) -> float:
    return next((scale for beginning, scale in UNITS_S.items() if unit.startswith(beginning)), 1.0)


def count_decimals(number: str) -> int:
    """Count the digits behind the decimal point."""
    return len(number.partition(".")[2])
