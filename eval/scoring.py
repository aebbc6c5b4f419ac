"""Is an answer right, and how sure is an accuracy.

Strict: the reply is read as exactly one option, and that option's text is the answer. What could not
be read and what failed stays in the denominator.
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from math import sqrt
from typing import NamedTuple

from services.types import Value

Z_95 = 1.959963984540054  # normal quantile: two-sided 95 %


class Verdict(NamedTuple):
    """What became of one item, as far as counting needs it."""

    id: str
    task: str
    correct_strict: bool
    unread: bool
    failed: bool
    took_s: float
    clock_s: float
    """Running time of the whole run when the item was finished."""


class Interval(NamedTuple):
    """A confidence interval of a proportion."""

    low: float
    high: float


class Score(Value):
    """Counts over some items; unread and failed ones are wrong, never left out."""

    n: int
    correct_strict: int
    unread: int
    failed: int
    wilson_95: Interval


class Summary(Score):
    """Counts over a whole run."""

    by_task: dict[str, Score]
    mean_took_s: float
    """From the start of an item to its answer, waiting for models included."""
    wall_s: float
    """Running time, over all the sessions that it took."""


def summarise(verdicts: Iterable[Verdict]) -> Summary:
    """Count a run, whole and by task."""
    counted = list(verdicts)
    by_task: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in counted:
        by_task[verdict.task].append(verdict)
    return Summary(
        **score(counted).model_dump(),
        by_task={task: score(by_task[task]) for task in sorted(by_task)},
        mean_took_s=round(sum(verdict.took_s for verdict in counted) / max(1, len(counted)), 4),
        wall_s=round(max((verdict.clock_s for verdict in counted), default=0.0), 3),
    )


def score(verdicts: list[Verdict]) -> Score:
    """Count verdicts."""
    num_correct = sum(verdict.correct_strict for verdict in verdicts)
    return Score(
        n=len(verdicts),
        correct_strict=num_correct,
        unread=sum(verdict.unread for verdict in verdicts),
        failed=sum(verdict.failed for verdict in verdicts),
        wilson_95=wilson_95(num_correct, len(verdicts)),
    )


def wilson_95(num_correct: int, n: int) -> Interval:
    """Return the 95 % interval of Wilson (1927), which holds near 0 and 1 and for small n."""
    if n == 0:
        return Interval(0.0, 1.0)
    share = num_correct / n
    shrink = 1 + Z_95**2 / n
    centre = (share + Z_95**2 / (2 * n)) / shrink
    half_width = Z_95 / shrink * sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    # The formula gives exactly 0 and 1 at the ends, but for rounding.
    return Interval(max(0.0, centre - half_width), min(1.0, centre + half_width))


def string_match(prediction: str, choices: Iterable[str], answer: str) -> bool:
    """Return the verdict of MMAU's and MMAR's official script (`string_match` in their evaluation.py).

    It compares sets of words: all of the answer's have to occur, and none that only a wrong choice has.
    """
    predicted, right = _words(prediction), _words(answer)
    wrong = {word for choice in choices if _words(choice) != right for word in _words(choice) - right}
    return bool(predicted) and right <= predicted and not predicted & wrong


def _words(text: str) -> set[str]:
    return set(re.findall(r"\b\w+\b", text.lower()))
