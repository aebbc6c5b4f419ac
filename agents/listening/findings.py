"""Support of a statement for the options of a question, and contradictions between two statements."""

import re
from functools import lru_cache
from typing import NamedTuple

from agents.listening.classifiers.absent import estimate_asks_for_absent
from agents.listening.classifiers.difference import estimate_differences
from agents.listening.named_clips import find_named_clips
from agents.reading.confidence import Factor, Probabilities
from agents.reading.intervals import parse_interval
from agents.reading.numbers import SMALL
from agents.reading.stems import extract_stems
from services.captioners.music.families import read_families
from services.captioners.music.notes import CLASSES, NamedPitch, parse_pitches
from services.types import Choice, Evidence, EvidenceKind, Label, Question

RANKS = {"measured": 2, "model": 1, "heuristic": 0}
"""Reliability -> rank; of two contradicting statements the higher one is believed."""

SUPPORT = {"measured": 0.8, "model": 0.7, "heuristic": 0.4}
"""Reliability -> probability that an option which such a finding supports is right."""

MOST_SURE = 0.95  # probability: recordings differ from what confidences were measured on

DESCRIPTIVE: frozenset[EvidenceKind] = frozenset({"absence", "caption", "transcript"})
"""Kinds of statements whose words have no vote: they may name any option, in any sense, or say that it is not there."""

COURSES: frozenset[EvidenceKind] = frozenset({"loudness", "rhythm"})
"""Kinds of statements that may say how tempo or level develops."""
SAME_COURSE = 0.6  # probability that two wordings name the same difference

NUMBERS = {word: str(number) for word, number in SMALL.items()}
STEP = re.compile(r"\s*(?:→|->|;\s*then\b|,?\s+then\b)\s*")
STEP_OR_SEMICOLON = re.compile(rf"{STEP.pattern}|\s*;\s*")
"""A semicolon separates steps only where a statement gives an order; in other options it is punctuation."""
A = CLASSES["a"]  # where options name no other pitch, it is the article: a major chord, a minor chord
DECIMAL = re.compile(r"\d+\.\d+")


class Contradiction(NamedTuple):
    """Two statements that support different options, so that at most one holds."""

    believed: Evidence
    doubted: Evidence | None
    """None: both are equally reliable, so both stay."""
    text: str
    """Text for the trace."""


def find_supported(statement: Evidence, question: Question) -> frozenset[str]:
    """Return the letters of the options that a statement supports; empty where it supports none or all."""
    if weighed := _read_weights(statement, question):
        best = max(weighed.values())
        return frozenset(letter for letter, weight in weighed.items() if weight == best)
    text = _format_finding(statement)
    own = statement.labels[0].text if len(statement.labels) == 1 else text  # with its decimals
    wordings = {text.lower(), own.rstrip(".").lower()}
    same = frozenset(c.letter for c in question.choices if c.text.rstrip(".").lower() in wordings)
    if same:
        return same
    if (semitones := parse_interval(own)) is not None:
        intervals = {choice.letter: parse_interval(choice.text) for choice in question.choices}
        if sum(one is not None for one in intervals.values()) > 1:
            return frozenset(letter for letter, one in intervals.items() if one == semitones)
    if statement.kind in COURSES and (letters := _find_same_course(own, question)):
        return letters
    found, names = parse_pitches(text), {choice.letter: parse_pitches(choice.text) for choice in question.choices}
    names_pitch = bool(found) and any(one.pitch_class != A for pitches in names.values() for one in pitches)
    fits = {
        choice.letter: _measure_pitch_fit(found, names[choice.letter])
        if names_pitch and names[choice.letter]
        else _measure_fit(text, choice.text)
        for choice in question.choices
    }
    best = max(fits.values(), default=0.0)
    letters = frozenset(letter for letter, fit in fits.items() if fit == best)
    return letters if best > 0 and len(letters) < len(fits) else frozenset()


def _find_same_course(course: str, question: Question) -> frozenset[str]:
    """Return the options that say in other words how something develops: slows down, gets slower."""
    told = estimate_differences(course)
    if max(told.values()) < SAME_COURSE:
        return frozenset()
    named = {choice.letter: estimate_differences(choice.text) for choice in question.choices}
    return frozenset(
        letter for letter, one in named.items() if sum(told[what] * one[what] for what in told) >= SAME_COURSE
    )


def _read_weights(statement: Evidence, question: Question) -> Probabilities:
    """Return letter -> probability where a statement weighs the options themselves; empty for any other statement."""
    letters = {choice.text.strip().lower(): choice.letter for choice in question.choices}
    named = [letters.get(label.text.lower()) for label in statement.labels]
    return {
        letter: label.probability
        for letter, label in zip(named, statement.labels, strict=True)
        if letter is not None and label.probability is not None and None not in named
    }


def _format_finding(statement: Evidence) -> str:
    """Format what a statement names: alternatives separated by commas, the steps of an order by "then".

    Without labels its text stands for it. Decimals are times and measured values, which support no option.
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


def _measure_fit(text: str, option: str) -> float:
    """Return the share of an option's words that a statement has, in [0, 1]; of an order, the share of its steps."""
    found = STEP_OR_SEMICOLON.split(text)
    steps = (STEP_OR_SEMICOLON if len(found) > 1 else STEP).split(option)
    if len(steps) > 1:
        same = sum(bool(_extract_words(a) & _extract_words(b)) for a, b in zip(steps, found, strict=False))
        return same / max(len(steps), len(found))
    wanted = _extract_words(option)
    numbers, found_numbers = _select_numbers(wanted), _select_numbers(_extract_words(text))
    if numbers and (len(found_numbers) != 1 or not numbers & found_numbers):  # several numbers are ambiguous
        return 0.0
    return len(wanted & _extract_words(text)) / len(wanted) if wanted else 0.0


def _measure_pitch_fit(found: tuple[NamedPitch, ...], option: tuple[NamedPitch, ...]) -> float:
    """Return the mean likeness of pitches, keys or chords, in [0, 1]; 0 where their numbers differ."""
    if len(found) != len(option):
        return 0.0
    return sum(one.measure_likeness(other) for one, other in zip(found, option, strict=True)) / len(option)


def _select_numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(word for word in words if word.isdigit())


@lru_cache(maxsize=64)  # a statement meets each option, and an option each statement
def _extract_words(text: str) -> frozenset[str]:
    spelt = re.sub(r"[a-z]+", lambda word: NUMBERS.get(word[0], word[0]), text.lower())
    return extract_stems(spelt) | frozenset(re.findall(r"\d+", spelt))


def has_vote(finding: Evidence, question: Question) -> bool:
    """Say whether what a finding names may speak for an option: where it describes, only if it weighs the options.

    Of several recordings only the one that the question is about alone has votes; what compares them has to be read.
    """
    named = find_named_clips(question)
    is_about = question.num_clips == 1 or (len(named) == 1 and finding.recording in named)
    return is_about and (finding.kind not in DESCRIPTIVE or weighs_options(finding, question))


def weighs_options(finding: Evidence, question: Question) -> bool:
    """Tell whether a finding weighs the options themselves."""
    return bool(_read_weights(finding, question))


def compute_vote(finding: Evidence, question: Question, relevance: float = 1.0) -> Factor | None:
    """Return a finding's vote, a distribution over the options; None where it supports none or all, or has none.

    What it supports gets the confidence that the finding states, or where it states none, that of its reliability. A
    question for what is absent turns the vote round, unless the finding itself says what is absent.

    Args:
        finding: of a tool.
        question: with its options.
        relevance: probability that the question asks for what the tool finds; if it does not, all options are as likely
            as before, so the vote is a mixture with the uniform distribution.
    """
    sure = _compute_relevant_vote(finding, question) if has_vote(finding, question) else None
    if sure is None:
        return None
    if len(question.choices) > 1 and finding.kind != "absence":
        sure = _turn_round(sure, max(0.0, 2 * estimate_asks_for_absent(question.text) - 1))
    uniform = (1 - relevance) / len(question.choices)
    return Factor({letter: relevance * p + uniform for letter, p in sure.items()}, 1.0)


def _turn_round(vote: Probabilities, share: float) -> dict[str, float]:
    """Mix a vote for what is there with this share of its opposite."""
    others = len(vote) - 1
    return {
        letter: (1 - share) * probability + share * (1 - probability) / others for letter, probability in vote.items()
    }


def _compute_relevant_vote(finding: Evidence, question: Question) -> Probabilities | None:
    """Return the vote of a finding that the question asks for."""
    if weighed := _read_weights(finding, question):
        return _spread(weighed, question)
    letters = find_supported(finding, question)
    probability = SUPPORT[finding.reliability] if finding.confidence is None else finding.confidence
    probability = min(probability, MOST_SURE)
    if not letters or probability <= len(letters) / len(question.choices):
        return None
    return _spread(dict.fromkeys(letters, probability / len(letters)), question)


def _spread(known: Probabilities, question: Question) -> dict[str, float]:
    """Return a distribution over all options, none of them surer than `MOST_SURE`.

    What is left goes to the options that are not known, or where all are, to all alike.
    """
    letters = [choice.letter for choice in question.choices]
    others = [letter for letter in letters if letter not in known] or letters
    left = max(1 - sum(known.values()), 1 - MOST_SURE)
    total = sum(known.values()) + left
    return {
        letter: (known.get(letter, 0.0) + (left / len(others) if letter in others else 0.0)) / total
        for letter in letters
    }


def find_contradictions(
    question: Question, findings: tuple[Evidence, ...], evidence: tuple[Evidence, ...]
) -> tuple[Contradiction, ...]:
    """Find the earlier statements of the same kind and a common span that support other options than a finding."""
    return tuple(
        _settle(finding, earlier)
        for finding in findings
        for earlier in evidence
        if (earlier.kind, earlier.recording) == (finding.kind, finding.recording)
        and _overlaps(finding, earlier)
        and _support_different(finding, earlier, question)
    )


def _overlaps(a: Evidence, b: Evidence) -> bool:
    ends = [float("inf") if one.end_s is None else one.end_s for one in (a, b)]
    return a.start_s < ends[1] and b.start_s < ends[0]


def _support_different(a: Evidence, b: Evidence, question: Question) -> bool:
    one, other = find_supported(a, question), find_supported(b, question)
    return bool(one and other) and not one & other


def _settle(finding: Evidence, earlier: Evidence) -> Contradiction:
    ranks = RANKS[finding.reliability] - RANKS[earlier.reliability]
    believed, doubted = (finding, earlier) if ranks >= 0 else (earlier, finding)
    outcome = "equally reliable, both stay" if ranks == 0 else "the first is believed"
    text = (
        f"{believed.text!r} ({believed.reliability}, {believed.source}) against "
        f"{doubted.text!r} ({doubted.reliability}, {doubted.source}): {outcome}"
    )
    return Contradiction(believed, doubted if ranks else None, text)


def estimate_probabilities(chosen: Choice | None, question: Question) -> Probabilities:
    """Return probabilities for a choice whose model gives none: the chosen option gets those of a model's finding."""
    if chosen is None:
        return {}
    rest = (1 - SUPPORT["model"]) / max(1, len(question.choices) - 1)
    return {choice.letter: SUPPORT["model"] if choice == chosen else rest for choice in question.choices}
