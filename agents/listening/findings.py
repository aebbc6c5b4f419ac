"""What a statement says about the options of a question, and where two statements cannot both hold."""

import re
from typing import NamedTuple

from agents.reading.confidence import Factor, Probabilities
from agents.reading.relevance import stems
from services.captioners.music.instrument import read_families
from services.captioners.music.notes import CLASSES, NamedPitch, parse_pitches
from services.types import Choice, Evidence, Label, Question

TIERS = {"measured": 2, "model": 1, "heuristic": 0}
"""Reliability -> rank; of two statements that contradict each other the higher one is believed."""

SAY = {"measured": 0.8, "model": 0.7, "heuristic": 0.4}
"""Reliability -> probability that an option supported by such a finding is right."""

NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    )
}
STEP = re.compile(r"\s*(?:→|->|;\s*then\b|,?\s+then\b|;)\s*")
A = CLASSES["a"]  # where options name no other pitch, it is the article: a major chord, a minor chord
DECIMAL = re.compile(r"\d+\.\d+")


class Contradiction(NamedTuple):
    """Two statements on the same thing, of which the question tells that at most one holds."""

    believed: Evidence
    doubted: Evidence | None
    """None: both are as reliable, so both stay."""
    text: str
    """For the trace."""


def supported(statement: Evidence, question: Question) -> frozenset[str]:
    """Return the letters of the options that a statement speaks for; empty where it tells none from the others."""
    said = _format_finding(statement)
    same = frozenset(c.letter for c in question.choices if c.text.rstrip(".").lower() == said.lower())
    if same:
        return same
    told, names = parse_pitches(said), {choice.letter: parse_pitches(choice.text) for choice in question.choices}
    tells_pitch = bool(told) and any(one.pitch_class != A for pitches in names.values() for one in pitches)
    fits = {
        choice.letter: _pitch_fit(told, names[choice.letter])
        if tells_pitch and names[choice.letter]
        else _fit(said, choice.text)
        for choice in question.choices
    }
    best = max(fits.values(), default=0.0)
    letters = frozenset(letter for letter, fit in fits.items() if fit == best)
    return letters if best > 0 and len(letters) < len(fits) else frozenset()


def _format_finding(statement: Evidence) -> str:
    """Return what a statement found: alternatives in a row, the steps of an order one after the other.

    A statement without labels is words alone. Decimals are times and measured values, which support no option.
    """
    labels = _select_labels(statement)
    is_order = all(label.probability is None for label in labels)
    listed = (", then " if is_order else ", ").join(label.text for label in labels)
    return DECIMAL.sub("", listed or statement.text).rstrip(".")


def _select_labels(statement: Evidence) -> tuple[Label, ...]:
    """Return the labels that may support an option: where an instrument's family is given last, the family alone.

    A classifier easily takes an instrument for another one of its family.
    """
    last = statement.labels[-1:]
    names_family = any(label.probability is not None and label.text in read_families() for label in last)
    return last if statement.kind == "instrument" and names_family else statement.labels


def _fit(said: str, option: str) -> float:
    """Return how much of an option is said, in [0, 1]; of an order, at how many places."""
    steps, told = STEP.split(option), STEP.split(said)
    if len(steps) > 1:
        same = sum(bool(_words(a) & _words(b)) for a, b in zip(steps, told, strict=False))
        return same / max(len(steps), len(told))
    wanted = _words(option)
    numbers, told_numbers = _numbers(wanted), _numbers(_words(said))
    if numbers and (len(told_numbers) != 1 or not numbers & told_numbers):  # of many numbers, which one is meant?
        return 0.0
    return len(wanted & _words(said)) / len(wanted) if wanted else 0.0


def _pitch_fit(told: tuple[NamedPitch, ...], option: tuple[NamedPitch, ...]) -> float:
    """Return how alike the pitches, keys or chords are; 0 where they are not as many."""
    if len(told) != len(option):
        return 0.0
    return sum(one.likeness(other) for one, other in zip(told, option, strict=True)) / len(option)


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if word.isdigit())


def _words(text: str) -> frozenset[str]:
    spelt = re.sub(r"[a-z]+", lambda word: NUMBERS.get(word[0], word[0]), text.lower())
    return stems(spelt) | frozenset(re.findall(r"\d+", spelt))


def vote(finding: Evidence, question: Question) -> Factor | None:
    """Return what a finding says as probabilities of the options; None where it tells none from the others."""
    letters, say = supported(finding, question), SAY[finding.reliability]
    if not letters or say <= len(letters) / len(question.choices):
        return None
    others = len(question.choices) - len(letters)
    shares = {
        choice.letter: say / len(letters) if choice.letter in letters else (1 - say) / others
        for choice in question.choices
    }
    return Factor(shares, 1.0)


def contradictions(
    question: Question, findings: tuple[Evidence, ...], evidence: tuple[Evidence, ...]
) -> tuple[Contradiction, ...]:
    """Return where a finding and an earlier statement of its kind, over a common span, speak for different options."""
    return tuple(
        _settled(finding, earlier)
        for finding in findings
        for earlier in evidence
        if earlier.kind == finding.kind and _meet(finding, earlier) and _disjoint(finding, earlier, question)
    )


def _meet(a: Evidence, b: Evidence) -> bool:
    ends = [float("inf") if one.end_s is None else one.end_s for one in (a, b)]
    return a.start_s < ends[1] and b.start_s < ends[0]


def _disjoint(a: Evidence, b: Evidence, question: Question) -> bool:
    one, other = supported(a, question), supported(b, question)
    return bool(one and other) and not one & other


def _settled(finding: Evidence, earlier: Evidence) -> Contradiction:
    ranks = TIERS[finding.reliability] - TIERS[earlier.reliability]
    believed, doubted = (finding, earlier) if ranks >= 0 else (earlier, finding)
    outcome = "equally reliable, both stay" if ranks == 0 else "the first is believed"
    text = (
        f"{believed.text!r} ({believed.reliability}, {believed.source}) against "
        f"{doubted.text!r} ({doubted.reliability}, {doubted.source}): {outcome}"
    )
    return Contradiction(believed, doubted if ranks else None, text)


def as_probabilities(chosen: Choice | None, question: Question) -> Probabilities:
    """Return what a bare choice says, where its model gives no probabilities: as much as a model's finding."""
    if chosen is None:
        return {}
    rest = (1 - SAY["model"]) / max(1, len(question.choices) - 1)
    return {choice.letter: SAY["model"] if choice == chosen else rest for choice in question.choices}
