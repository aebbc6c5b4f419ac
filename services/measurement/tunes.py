"""Melodic and rhythmic similarity of two passages: the same tune at another pitch, pace or backwards, the same rhythm.

Notes are aligned by their longest common subsequence, which leaves out those that a transcriber misses or adds.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.music.notes import DetectedNote

LEAST_NOTES = 4  # of each, to tell a tune by
LEAST_COMMON = 0.75  # share of the notes of the longer tune that both have in common
LEAST_STROKES = 4
SAME_INTERVAL = 0.12  # by which an interval between strokes may be longer or shorter, of the longer one
LEAST_ALIKE = 0.9  # share of the intervals of two rhythms that are alike


class TuneLikeness(NamedTuple):
    """How the second of two passages repeats the first."""

    semitones: int
    """By how much it is higher; negative: lower."""
    speed: float
    """Its tempo over that of the first."""
    is_backwards: bool


class _Alignment(NamedTuple):
    pairs: tuple[tuple[int, int], ...]
    """Places of the notes in both that correspond."""
    semitones: int


def compare_tunes(first: Sequence[DetectedNote], second: Sequence[DetectedNote]) -> TuneLikeness | None:
    """Compare two passages of notes; None where they are different tunes, or too short to tell."""
    if min(len(first), len(second)) < LEAST_NOTES:
        return None
    needed = LEAST_COMMON * max(len(first), len(second))
    for is_backwards in (False, True):
        one = list(reversed(first)) if is_backwards else list(first)
        found = _align([note.pitch for note in one], [note.pitch for note in second])
        if len(found.pairs) >= needed and len({one[place].pitch for place, _ in found.pairs}) > 1:
            return TuneLikeness(found.semitones, _measure_speed(one, second, found), is_backwards)
    return None


def compare_rhythms(first: Sequence[float], second: Sequence[float]) -> bool:
    """Tell whether strokes at these times, in seconds, have the same rhythm at any tempo."""
    if len(first) != len(second) or len(first) < LEAST_STROKES:
        return False
    gaps = [np.diff(times) / (times[-1] - times[0]) for times in (np.asarray(first), np.asarray(second))]
    alike = np.abs(gaps[0] - gaps[1]) <= SAME_INTERVAL * np.maximum(gaps[0], gaps[1])
    return bool(alike.mean() >= LEAST_ALIKE)


def _align(first: list[int], second: list[int]) -> _Alignment:
    """Align two sequences of pitches, the second shifted by the interval at which most correspond."""
    shifts = sorted({b - a for a in set(first) for b in set(second)}, key=abs)
    found = (_Alignment(_find_common([pitch + shift for pitch in first], second), shift) for shift in shifts)
    return max(found, key=lambda one: len(one.pairs))


def _find_common(first: list[int], second: list[int]) -> tuple[tuple[int, int], ...]:
    """Return the places of a longest common subsequence."""
    longest: NDArray[np.int64] = np.zeros((len(first) + 1, len(second) + 1), np.int64)
    for i, one in enumerate(first):
        for j, other in enumerate(second):
            same = longest[i, j] + 1 if one == other else 0
            longest[i + 1, j + 1] = max(same, longest[i, j + 1], longest[i + 1, j])
    pairs: list[tuple[int, int]] = []
    i, j = len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1] and longest[i, j] == longest[i - 1, j - 1] + 1:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif longest[i - 1, j] >= longest[i, j - 1]:
            i -= 1
        else:
            j -= 1
    return tuple(reversed(pairs))


def _measure_speed(first: Sequence[DetectedNote], second: Sequence[DetectedNote], found: _Alignment) -> float:
    """Return the median ratio of the times between corresponding notes, those of the first over those of the second."""
    times = [(first[a].start_s, second[b].start_s) for a, b in found.pairs]
    ratios = [
        abs(later[0] - earlier[0]) / (later[1] - earlier[1])
        for earlier, later in pairwise(times)
        if later[1] > earlier[1] and later[0] != earlier[0]
    ]
    return median(ratios) if ratios else 1.0
