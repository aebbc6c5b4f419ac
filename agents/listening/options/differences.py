"""Differences among options: how a second sound differs from a first one, weighed by what was measured of both.

A small LLM reads "the second lasts 3 times as long" and still chooses "the first lasts longer". So code lays the
options beside the measurement.
"""

import re
from collections.abc import Mapping, Sequence
from math import log2
from typing import TYPE_CHECKING

from agents.listening.classifiers.difference import (
    DIFFERENCES,
    OPPOSITES,
    PAIRS,
    NamedDifference,
    estimate_differences,
    names_first,
    names_further,
)
from agents.reading.numbers import spell_in_digits
from services.measurement.just_noticeable import (
    SAME_BRIGHTNESS,
    SAME_LENGTH,
    SAME_LEVEL_DB,
    SAME_PACE,
    SAME_SEMITONES,
    SURE_KEY,
)
from services.types import Label, Question

if TYPE_CHECKING:  # its libraries take a second to import
    from services.measurement.comparison import SoundComparison

TOLD, UNTOLD, CONTRADICTED = 0.9, 0.25, 0.03
"""Weight of a difference that was measured, of one that was not or that nobody can measure, and of the opposite."""
LEAST_NAMED = 0.5  # probability that an option names a difference
LEAST_ASKED = 0.6  # probability that a question asks for a difference
MOST_WORDS = 4  # of an option that is the first or the second, and says nothing of it
FACTOR = re.compile(r"(\d+(?:\.\d+)?) times|\b(twice|double)\b")
SPREAD = 0.35  # of the logarithm to base 2 of a factor that an option names
YES, NO = re.compile(r"yes\b", re.IGNORECASE), re.compile(r"no\b", re.IGNORECASE)


def asks_which(question: Question) -> bool:
    """Tell whether a question asks which of two is louder, longer …, and its options are the first and the second."""
    places = {names_first(choice.text) for choice in question.choices if len(choice.text.split()) <= MOST_WORDS}
    if any(names_further(choice.text) for choice in question.choices):
        return False
    asked = estimate_differences(question.text)
    return {True, False} <= places and sum(asked[one] for one in OPPOSITES) >= LEAST_ASKED


def weigh_differences(question: str, options: Sequence[str], found: "SoundComparison") -> tuple[Label, ...]:
    """Weigh options, the likeliest first; empty where fewer than two of them name a difference that was measured."""
    if any(map(names_further, options)):
        return ()
    truths = _list_truths(found)
    named = [_read_option(question, option) for option in options]
    if sum(sum(one[label] for label in truths) >= LEAST_NAMED for one in named) < 2:
        return ()
    weights = [
        _weigh(one, truths) * _weigh_factor(option, one, found) for option, one in zip(options, named, strict=True)
    ]
    labels = [Label.round_to_label(*one) for one in zip(options, (w / sum(weights) for w in weights), strict=True)]
    return tuple(sorted(labels, key=lambda label: -(label.probability or 0.0)))


def _read_option(question: str, option: str) -> Mapping[NamedDifference, float]:
    """Read the difference that an option names, by itself or in answer to the question ("the second", "yes", "no")."""
    named = dict(estimate_differences(option))
    is_bare = sum(named.values()) < LEAST_NAMED
    asked = estimate_differences(question) if is_bare else {}
    if is_bare and YES.match(option):
        return asked
    if is_bare and (NO.match(option) or names_first(option)):
        return {one: asked[OPPOSITES.get(one, one)] for one in DIFFERENCES}
    return asked if is_bare and names_first(option) is False else named


def _weigh(named: Mapping[NamedDifference, float], truths: Mapping[NamedDifference, float]) -> float:
    told = sum(share * truths.get(one, UNTOLD) for one, share in named.items())
    return told + UNTOLD * max(0.0, 1 - sum(named.values()))


def _weigh_factor(option: str, named: Mapping[NamedDifference, float], found: "SoundComparison") -> float:
    """Weigh the factor that an option names, as in "3 times as long", by the measured one; 1 where it names none."""
    match = FACTOR.search(spell_in_digits(option.lower()))
    measured = _find_factor(max(named, key=lambda one: named[one]), found)
    if not match or measured is None:
        return 1.0
    off = abs(log2(measured)) - log2(float(match[1] or 2))
    return float(2 ** -((off / SPREAD) ** 2)) + CONTRADICTED


def _find_factor(difference: NamedDifference, found: "SoundComparison") -> float | None:
    if difference in PAIRS[0] and found.lengths_s:
        return found.lengths_s.second / found.lengths_s.first
    if difference in ("faster", "slower"):
        return found.tune.speed if found.tune else _divide_paces(found)
    return None


def _list_truths(found: "SoundComparison") -> dict[NamedDifference, float]:
    """List how likely each difference is that was measured, and that there is none."""
    steps = (
        found.lengths_s and _compare(log2(found.lengths_s.second / found.lengths_s.first), log2(SAME_LENGTH)),
        None if found.level_difference_db is None else _compare(found.level_difference_db, SAME_LEVEL_DB),
        _find_pitch_step(found),
        _find_pace_step(found),
        found.highest_hz and _compare(log2(found.highest_hz.second / found.highest_hz.first), -log2(SAME_BRIGHTNESS)),
    )
    truths: dict[NamedDifference, float] = {}
    for (more, less), step in zip(PAIRS, steps, strict=True):
        if step is not None:
            truths[more] = TOLD if step > 0 else CONTRADICTED
            truths[less] = TOLD if step < 0 else CONTRADICTED
    if found.tune:
        truths["backwards"] = TOLD if found.tune.is_backwards else CONTRADICTED
    if found.same_speaker is not None:
        truths["same voice"], truths["other voice"] = found.same_speaker, 1 - found.same_speaker
    if truths:
        truths["same"] = _estimate_same(found, has_changed=TOLD in truths.values())
    return truths


def _estimate_same(found: "SoundComparison", *, has_changed: bool) -> float:
    if has_changed:
        return CONTRADICTED if found.tune else UNTOLD / 2
    is_same = found.tune is not None or found.same_rhythm or (found.same_sound or 0.0) > TOLD
    return TOLD if is_same else UNTOLD


def _find_pitch_step(found: "SoundComparison") -> int | None:
    if found.tune:
        return _compare(found.tune.semitones, SAME_SEMITONES)
    if found.keys and min(key.confidence for key in found.keys) >= SURE_KEY:
        return _compare(found.keys.first.count_steps_to(found.keys.second), SAME_SEMITONES)
    return _compare(12 * log2(found.pitch_ratio), SAME_SEMITONES) if found.pitch_ratio else None


def _find_pace_step(found: "SoundComparison") -> int | None:
    ratio = found.tune.speed if found.tune else _divide_paces(found)
    return _compare(log2(ratio), SAME_PACE) if ratio else None


def _divide_paces(found: "SoundComparison") -> float | None:
    return found.pace.second / found.pace.first if found.pace and found.pace.first and found.pace.second else None


def _compare(value: float, least: float) -> int:
    """Return 1 for more, -1 for less, 0 where the difference is below the least that counts."""
    return 0 if abs(value) < least else 1 if value > 0 else -1
