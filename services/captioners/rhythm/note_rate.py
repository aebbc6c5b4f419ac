"""Note rate: whether the notes of a melody follow one another faster or slower towards its end."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from services.captioners.statement import Statement, make_labels

NUM_PARTS = 3  # of equal length, of which the first and the last are compared
FEWEST_NOTES = 15
LEAST_RATIO = 1.4  # of the rates at the end and at the beginning, or the reverse, from which they differ
PRECISION = 0.8  # share of the stated changes that are right (docs/ears.md)

RateCourse: TypeAlias = Literal["it speeds up", "it slows down"]


class NoteRate(NamedTuple):
    """How fast notes follow one another, in notes a second."""

    before: float
    """In the first third."""
    after: float
    """In the last third."""

    @property
    def course(self) -> RateCourse:
        """Which of the two is faster."""
        return "it speeds up" if self.after > self.before else "it slows down"


def find_rate_change(starts_s: Sequence[float]) -> NoteRate | None:
    """Compare the rates of the first and the last third of a melody, by when its notes begin.

    None where there are few notes, where the rates are alike, or where the middle is not between them.
    """
    if len(starts_s) < FEWEST_NOTES:
        return None
    counts, edges_s = np.histogram(starts_s, bins=NUM_PARTS)
    before, middle, after = counts / np.diff(edges_s)
    low, high = sorted((before, after))
    if low <= 0 or high / low < LEAST_RATIO or not low <= middle <= high:
        return None
    return NoteRate(float(before), float(after))


def describe_note_rate(starts_s: Sequence[float]) -> list[Statement]:
    """State how the rate of notes changes; nothing where it does not."""
    found = find_rate_change(starts_s)
    if found is None:
        return []
    text = f"Pace of the notes: {found.course}, from {found.before:.1f} to {found.after:.1f} notes a second."
    return [Statement("rhythm", text, PRECISION, labels=make_labels([found.course]))]
