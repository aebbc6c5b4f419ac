"""Figures of replies that rules score: instructions followed, error rates, and how near sets of options come."""

from collections import defaultdict
from collections.abc import Sequence
from math import sqrt

from eval.scoring.intervals import TINY, Interval, compute_student_quantile, compute_wilson_interval
from eval.scoring.rules import RuleOutcome
from services.types import Value


class InstructionScore(Value):
    """Replies that are to follow instructions, as the authors' script counts them (arXiv:2311.07911, section 2.3)."""

    n: int
    """Replies."""
    all_followed: int
    all_followed_loosely: int
    num: int
    """Instructions in all."""
    followed: int
    followed_loosely: int

    @property
    def final(self) -> float:
        """Mean of the four accuracies, which VoiceBench calls final."""
        replies, single = (self.all_followed + self.all_followed_loosely), (self.followed + self.followed_loosely)
        return (replies / self.n + single / self.num) / 4


class ErrorRate(Value):
    """Error rate of transcripts taken together: all errors over all words, or characters, of the references."""

    n: int
    """Transcripts."""
    errors: int
    length: int
    rate: float | None
    """Above 1 where more is said than there is; None where the references have no words."""
    ci_95: Interval | None
    """By the ratio estimator over sources; None for fewer than two of them."""


class RuleScores(Value):
    """What is counted beside right and wrong."""

    instructions: InstructionScore | None = None
    errors: ErrorRate | None = None


def score_rules(outcomes: Sequence[tuple[RuleOutcome, str]]) -> RuleScores | None:
    """Count the outcomes, each with the source that its item shares with others; None where there are none."""
    found = RuleScores(
        instructions=_score_instructions([outcome for outcome, _ in outcomes if outcome.followed]),
        errors=_score_transcripts([(one, source) for one, source in outcomes if one.errors is not None]),
    )
    return None if found == RuleScores() else found


def _score_instructions(outcomes: Sequence[RuleOutcome]) -> InstructionScore | None:
    if not outcomes:
        return None
    return InstructionScore(
        n=len(outcomes),
        all_followed=sum(all(one.followed) for one in outcomes),
        all_followed_loosely=sum(all(one.followed_loosely) for one in outcomes),
        num=sum(len(one.followed) for one in outcomes),
        followed=sum(sum(one.followed) for one in outcomes),
        followed_loosely=sum(sum(one.followed_loosely) for one in outcomes),
    )


def _score_transcripts(outcomes: Sequence[tuple[RuleOutcome, str]]) -> ErrorRate | None:
    if not outcomes:
        return None
    errors, length = sum(one.errors or 0 for one, _ in outcomes), sum(one.length for one, _ in outcomes)
    rate = errors / length if length else None
    return ErrorRate(
        n=len(outcomes),
        errors=errors,
        length=length,
        rate=rate,
        ci_95=None if rate is None else _measure_ratio(outcomes, rate, length),
    )


def _measure_ratio(outcomes: Sequence[tuple[RuleOutcome, str]], rate: float, length: int) -> Interval | None:
    """Return the interval of a ratio of sums over sources (linearised, Cochran 1977, section 6.4), by Student's t."""
    residuals: defaultdict[str, float] = defaultdict(float)
    for one, source in outcomes:
        residuals[source] += (one.errors or 0) - rate * one.length
    num = len(residuals)
    if num < 2:
        return None
    se = sqrt(sum(residual**2 for residual in residuals.values()) * num / (num - 1)) / length
    if se < TINY:  # every source has the same rate: leave room for one that differs, up to no word right
        return Interval(
            max(0.0, rate - compute_wilson_interval(0, num).high), rate + compute_wilson_interval(0, num).high
        )
    half = compute_student_quantile(num) * se
    return Interval(max(0.0, rate - half), rate + half)
