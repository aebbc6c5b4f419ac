"""The statistics of comparisons: small pure functions, scipy where it has them.

What scipy lacks is written out: paired standard errors, Cohen's h, Holm's correction, minimum detectable effects,
and the regret of choosing by a proxy.
"""

from collections.abc import Sequence
from math import asin, atanh, isnan, nan, sqrt, tanh
from typing import NamedTuple

from eval.scoring.scoring import Z_95, Interval, clustered_se

Z_POWER_80 = 0.8416212335729143  # normal quantile: 80 % power
MIN_FOR_INTERVAL = 4  # Fisher's standard error is 1 / sqrt(n - 3)


class Difference(NamedTuple):
    """A mean of paired differences."""

    value: float
    se: float
    ci_95: Interval


class Correlation(NamedTuple):
    """How two scores of the same models go together."""

    n: int
    pearson: float
    """NaN where one of the scores is constant."""
    ci_95: Interval | None
    """Fisher's; None for fewer than four models, or where there is no correlation."""
    p: float
    spearman: float
    leave_one_out: Interval | None
    """Lowest and highest Pearson correlation without one of the models, as far as there is one; None below four."""


def mcnemar_exact(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p of McNemar's test, from the items that only one of the two got right."""
    from scipy.stats import binomtest

    discordant = only_a + only_b
    return float(binomtest(only_a, discordant, 0.5).pvalue) if discordant else 1.0


def paired_difference(differences: Sequence[float], clusters: Sequence[str] | None = None) -> Difference:
    """Return the mean of two or more differences of outcomes in [0, 1], its standard error and normal 95 % interval.

    With `clusters`, one per item, items of one cluster are taken together.
    """
    n = len(differences)
    mean = sum(differences) / n
    if clusters is None:
        variance = sum((difference - mean) ** 2 for difference in differences) / (n - 1)
        se = sqrt(variance / n)
    else:
        se = clustered_se(differences, clusters)
    return Difference(mean, se, Interval(max(-1.0, mean - Z_95 * se), min(1.0, mean + Z_95 * se)))


def cohens_h(p: float, q: float) -> float:
    """Return Cohen's h, the effect size of two proportions: 0.2 is small, 0.5 medium, 0.8 large."""
    return 2 * asin(sqrt(p)) - 2 * asin(sqrt(q))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p values adjusted by Holm (1979), in the order given."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def detectable_difference(n: int, variance: float) -> float:
    """Return the difference of accuracies found with 80 % power at two-sided 5 %, from the variance per item.

    Paired, the variance is the share of discordant items; of two systems of accuracy p whose items correlate
    by r it is 2 p (1 - p) (1 - r).
    """
    return (Z_95 + Z_POWER_80) * sqrt(variance / n)


def correlate(x: Sequence[float], y: Sequence[float]) -> Correlation:
    """Correlate two scores of at least three models."""
    from scipy.stats import pearsonr, spearmanr

    n = len(x)
    assert n == len(y) >= 3, f"{n} and {len(y)} scores"
    if is_constant(x) or is_constant(y):
        return Correlation(n, nan, None, nan, nan, None)
    r, p = (float(value) for value in pearsonr(x, y))
    return Correlation(n, r, fisher_95(r, n), p, float(spearmanr(x, y).statistic), _leave_one_out(x, y))


def is_constant(scores: Sequence[float]) -> bool:
    """Tell whether all scores are the same, so that nothing correlates with them."""
    return len(set(scores)) == 1


def pearson(x: Sequence[float], y: Sequence[float]) -> float:
    """Return Pearson's correlation; NaN where one score is constant or there are fewer than two."""
    if len(x) < 2 or is_constant(x) or is_constant(y):  # rounding makes the mean of equal numbers another number
        return nan
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sqrt(sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y))
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread


def fisher_95(r: float, n: int) -> Interval | None:
    """Return Fisher's 95 % interval of a correlation; None for fewer than four models."""
    if n < MIN_FOR_INTERVAL:
        return None
    if abs(r) >= 1:
        return Interval(r, r)
    half = Z_95 / sqrt(n - 3)
    return Interval(tanh(atanh(r) - half), tanh(atanh(r) + half))


def _leave_one_out(x: Sequence[float], y: Sequence[float]) -> Interval | None:
    if len(x) < MIN_FOR_INTERVAL:
        return None
    left = [pearson([*x[:i], *x[i + 1 :]], [*y[:i], *y[i + 1 :]]) for i in range(len(x))]
    known = [r for r in left if not isnan(r)]
    return Interval(min(known), max(known)) if known else None


def selection_regret(x: Sequence[float], y: Sequence[float], top: int = 1) -> float:
    """Return what choosing by x loses on y: the best y less the best y among the `top` models by x.

    Models that share the last place by x count as chosen by chance: the worst of them is assumed.
    """
    order = sorted(range(len(x)), key=lambda index: (-x[index], y[index]))
    return max(y) - max(y[index] for index in order[:top])
