"""Particles and other function words as options ("up", "no", "in"): when a reply names one, not only uses it."""

import re
from collections.abc import Iterable, Sequence

FUNCTION_WORDS = frozenset(
    [
        "an",
        "the",
        "no",
        "not",
        "none",
        "one",
        "in",
        "out",
        "on",
        "off",
        "up",
        "down",
        "over",
        "under",
        "is",
        "or",
        "and",
        "to",
        "of",
        "at",
    ]
)
END = r"(?=\W*(?:[.!?;]|\Z)|\s+(?:or|and)\b)"


def compile_particle(option: str, options: Sequence[str]) -> re.Pattern[str]:
    """Return a pattern of a function word as an answer: "it is up", "up, not down", "not down but up"."""
    word, others = re.escape(option), _join(other for other in options if other != option)
    return re.compile(
        rf"(?:\b(?:is|be|or|and|either|both)\s){word}{END}"
        rf"|\b{word}(?=,? (?:and )?(?:not|rather than|instead of) (?:{others})\W*(?:[.!?;]|\Z))"
        rf"|\bnot (?:{others}),? but (?:rather )?{word}{END}"
    )


def find_joined(text: str, option: str, options: Sequence[str]) -> re.Match[str] | None:
    """Return where a text joins a function word with another option: "up and down", "up, then down"."""
    word, others = re.escape(option), _join(other for other in options if other != option)
    joint = r"(?:,? (?:and|or)(?: then)?|,? then) "
    return re.search(rf"\b(?:{word}{joint}(?:{others})|(?:{others}){joint}{word})\b", text)


def _join(options: Iterable[str]) -> str:
    """Return a pattern of any of these; of nothing where there are none."""
    return "|".join(map(re.escape, options)) or "(?!)"
