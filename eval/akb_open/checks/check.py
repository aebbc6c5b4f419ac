"""Answer verification of AKB-open: computed answers are derived again by other code, rows of fact name their source."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from eval.akb_open.checks import notes, numbers, sounds
from eval.akb_open.checks.facts import FactSources, Library
from eval.akb_open.row import CATEGORIES, COMPUTED, NUM_PER_SUB_CATEGORY, AkbOpenRow, Derivation
from eval.benchmarks.akb import Shaped, find_problems

GUESSING = (0.20, 0.32)
"""What `always the first` and `always the longest option` may score over the whole file."""

RIGHT_CHOICES: Mapping[str, Callable[[Derivation, tuple[str, ...]], list[str]]] = {
    **dict.fromkeys(numbers.TRUTHS, numbers.find_right_choices),
    **dict.fromkeys(notes.HOLDS, notes.find_right_choices),
    **dict.fromkeys(sounds.HOLDS, sounds.find_right_choices),
}


class Finding(NamedTuple):
    """A defect of a row, or of the file as a whole, whose `id` is empty."""

    id: str
    problem: str


def check(rows: Sequence[AkbOpenRow], sources: FactSources | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with the rows; nothing means that every answer could be confirmed.

    Computed answers are confirmed from the row alone. Quotes and pronunciations are compared with the
    files in `sources`, as far as they are given.
    """
    library = Library(sources or FactSources())
    found = [Finding(row.id, problem) for row in rows for problem in _find_problems(row, library)]
    shape = find_problems(rows, num_per_sub_category=NUM_PER_SUB_CATEGORY)
    return tuple(found + [Finding("", problem) for problem in (*shape, *_check_guessing(rows))])


def check_shape(rows: Sequence[Shaped]) -> tuple[Finding, ...]:
    """Return how any file differs from AKB's published shape; sub-categories may differ in size."""
    return tuple(Finding("", problem) for problem in find_problems(rows))


def _find_problems(row: AkbOpenRow, library: Library) -> Iterator[str]:
    if row.category not in CATEGORIES:
        yield f"is of no known category: {row.category!r}"
    if row.derivation is not None:
        yield from _check_derivation(row, row.derivation)
        if row.source != COMPUTED and "sounds" not in row.derivation.parameters:
            yield f"is computed, but names a source: {row.source!r}"
    yield from library.check_source(row)


def _check_derivation(row: AkbOpenRow, derivation: Derivation) -> Iterator[str]:
    if derivation.name not in RIGHT_CHOICES:
        yield f"has an unknown derivation: {derivation.name!r}"
        return
    for name, value in derivation.parameters.items():
        if isinstance(value, str) and not re.search(rf"(?<!\w){re.escape(value)}(?!\w)", row.question):
            yield f"does not ask with its own {name}: {value!r}"
    try:
        right = RIGHT_CHOICES[derivation.name](derivation, row.choices)
    except (KeyError, ValueError, AssertionError, ZeroDivisionError) as error:
        yield f"cannot be derived by {derivation.name}: {error!r}"
        return
    if right != [row.answer]:
        yield f"answers {row.answer!r}, but by {derivation.name} right is {' and '.join(right) or 'no option'}"


def score_guessing(rows: Sequence[AkbOpenRow]) -> dict[str, float]:
    """Return the shares of right answers of reading nothing but the place or the length of the options."""
    first = sum(row.choices[0] == row.answer for row in rows)
    return {
        "always the first": first / max(1, len(rows)),
        "always the longest": sum(map(_guess_longest, rows)) / max(1, len(rows)),
    }


def _guess_longest(row: AkbOpenRow) -> float:
    """Return the chance that one of the longest options, drawn at random, is the right one."""
    length = max(map(len, row.choices))
    return (len(row.answer) == length) / sum(len(choice) == length for choice in row.choices)


def _check_guessing(rows: Sequence[AkbOpenRow]) -> Iterator[str]:
    low, high = GUESSING
    for name, score in score_guessing(rows).items():
        if not low <= score <= high:
            yield f"{name} option scores {score:.1%}; {low:.0%} to {high:.0%} gives nothing away"
