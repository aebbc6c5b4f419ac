"""Tandem repeats in a transcript: what is said again at once, by a speaker or by a decoder in a loop."""

import re

# Of Chinese and Japanese, each character is a unit.
UNIT = re.compile(r"\d|[\u3040-\u30ff\u3400-\u9fff]|[^\W\d_]+(?:['’][^\W\d_]+)*")

MANY = 3  # words that are said again at once, from which a text is checked


def repeats_itself(text: str) -> bool:
    """Say whether a text says that much again at once that it may be a decoder's loop."""
    return count_repeated(text) >= MANY


def list_units(text: str) -> list[str]:
    """List words and single digits in lower case: "1, 2 and 34" has five, as when it is spoken digit by digit."""
    return [unit.lower() for unit in UNIT.findall(text)]


def count_repeated(text: str) -> int:
    """Count the words and digits of the longest repeat beyond what is said first: "1, 2, 1, 2, 1, 2" has four."""
    units = list_units(text)
    return max((_count_repeated(units, length) for length in range(1, len(units) // 2 + 1)), default=0)


def _count_repeated(units: list[str], length: int) -> int:
    """Count the units of the longest repeat of a block of that length, beyond its first copy; 0 for less than two."""
    longest = run = 0
    for unit, earlier in zip(units[length:], units, strict=False):
        run = run + 1 if unit == earlier else 0
        longest = max(longest, run)
    return longest if longest >= length else 0
