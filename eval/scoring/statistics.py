"""The statistics of comparisons: small pure functions, scipy where it has them.

What scipy lacks is written out: paired standard errors, Cohen's h, Holm's correction, minimum detectable effects,
and the regret of choosing by a proxy.
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from math import asin, atanh, isnan, nan, sqrt, tanh
from typing import NamedTuple

from eval.scoring.intervals import TINY, Z_95, Interval, compute_clustered_se, compute_student_quantile, widen_equal

Z_POWER_80 = 0.8416212335729143  # normal quantile: 80 % power
NUM_BOOTSTRAPS = 4000
WHOLE = Interval(-1.0, 1.0)  # what a difference of two shares can be
MIN_FOR_INTERVAL = 4  # Fisher's standard error is 1 / sqrt(n - 3)


class Difference(NamedTuple):
    """A mean of paired differences."""

    value: float
    se: float
    ci_95: Interval


class PartialCorrelation(NamedTuple):
    """How two scores of the same models go together beside what both have in common with a third."""

    n: int
    pearson: float
    """NaN where the third leaves one of them constant."""
    p: float
    spearman: float


class Correlation(NamedTuple):
    """How two scores of the same models go together."""

    n: int
    pearson: float
    """NaN where one of the scores is constant."""
    ci_95: Interval | None
    """Fisher's; None for fewer than four models, or where there is no correlation, or a perfect one."""
    p: float
    spearman: float
    leave_one_out: Interval | None
    """Lowest and highest Pearson correlation without one of the models, as far as there is one; None below four."""


def compute_mcnemar_p(only_a: int, only_b: int) -> float:
    """Return the exact two-sided p of McNemar's test, from the items that only one of the two got right."""
    from scipy.special import bdtr

    return min(1.0, 2 * float(bdtr(min(only_a, only_b), only_a + only_b, 0.5)))


def compute_paired_difference(differences: Sequence[float], clusters: Sequence[str] | None = None) -> Difference:
    """Return the mean of two or more differences of outcomes in [0, 1], its standard error and normal 95 % interval.

    With `clusters`, one per item and two or more in all, items of one cluster are taken together, and the interval is
    by Student's t with a degree of freedom less than there are clusters.
    """
    n = len(differences)
    mean = sum(differences) / n
    if clusters is None:
        variance = sum((difference - mean) ** 2 for difference in differences) / (n - 1)
        se, quantile = sqrt(variance / n), Z_95
    else:
        se, quantile = compute_clustered_se(differences, clusters), compute_student_quantile(len(set(clusters)))
    if se < TINY:  # all the same: that says nothing about what a further item or cluster would be
        return Difference(mean, 0.0, widen_equal(mean, n if clusters is None else len(set(clusters)), WHOLE))
    return Difference(mean, se, Interval(max(-1.0, mean - quantile * se), min(1.0, mean + quantile * se)))


def compute_clustered_p(difference: Difference, num_clusters: int) -> float:
    """Return the two-sided p of a clustered difference by Student's t; McNemar's test takes items for independent."""
    if not difference.se:  # every cluster differs by the same: the exact sign test over them (Dixon & Mood 1946)
        return 1.0 if not difference.value else 0.5 ** (num_clusters - 1)
    return _compute_student_p(difference.value / difference.se, num_clusters - 1)


def _compute_student_p(statistic: float, freedom: int) -> float:
    """Return the two-sided p of Student's t."""
    from scipy.special import stdtr  # scipy.stats takes a second to import

    return 2 * float(stdtr(freedom, -abs(statistic)))


def compute_cohens_h(p: float, q: float) -> float:
    """Return Cohen's h, the effect size of two proportions: 0.2 is small, 0.5 medium, 0.8 large."""
    return 2 * asin(sqrt(p)) - 2 * asin(sqrt(q))


def apply_holm_correction(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return the p values adjusted by Holm (1979), in the order given."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return tuple(adjusted)


def compute_cohen_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> float | None:
    """Return Cohen's kappa (1960): agreement beyond that of two annotators who judge independently.

    None without pairs, or where both always say the same one thing.
    """
    n = len(pairs)
    firsts, seconds = Counter(a for a, _ in pairs), Counter(b for _, b in pairs)
    expected = sum(firsts[kind] * seconds[kind] for kind in firsts)
    if n == 0 or expected == n * n:
        return None
    observed = sum(a == b for a, b in pairs)
    return (observed * n - expected) / (n * n - expected)


def compute_detectable_difference(n: int, variance: float) -> float:
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
        return Correlation(n=n, pearson=nan, ci_95=None, p=nan, spearman=nan, leave_one_out=None)
    r, p = (float(value) for value in pearsonr(x, y))
    return Correlation(
        n=n,
        pearson=r,
        ci_95=compute_fisher_interval(r, n),
        p=p,
        spearman=float(spearmanr(x, y).statistic),
        leave_one_out=_leave_one_out(x, y),
    )


def correlate_given(x: Sequence[float], y: Sequence[float], z: Sequence[float]) -> PartialCorrelation:
    """Correlate two scores of four models or more, with a third held constant (Student's t with n - 3 degrees)."""
    from scipy.stats import rankdata

    n = len(x)
    assert n == len(y) == len(z) >= MIN_FOR_INTERVAL, f"{n}, {len(y)} and {len(z)} scores"
    r = _compute_partial_correlation(x, y, z)
    rho = _compute_partial_correlation(*(rankdata(scores).tolist() for scores in (x, y, z)))
    p = nan if isnan(r) else 0.0 if abs(r) >= 1 else _compute_student_p(r * sqrt((n - 3) / (1 - r * r)), n - 3)
    return PartialCorrelation(n, r, p, rho)


def _compute_partial_correlation(x: Sequence[float], y: Sequence[float], z: Sequence[float]) -> float:
    xy, xz, yz = compute_pearson(x, y), compute_pearson(x, z), compute_pearson(y, z)
    left = (1 - xz * xz) * (1 - yz * yz)
    return nan if isnan(xy + xz + yz) or left <= TINY else max(-1.0, min(1.0, (xy - xz * yz) / sqrt(left)))


def bootstrap_correlation(
    x: Sequence[float], y: Sequence[float], sizes: tuple[Sequence[int | None], Sequence[int | None]], seed: int = 0
) -> Interval | None:
    """Return the 95 % bootstrap interval of Pearson's correlation over models and their questions.

    Args:
        x: Scores in percent, four models or more.
        y: Other scores of the same models.
        sizes: Questions behind each score of x and of y: each is drawn again from a binomial; None: taken as exact.
        seed: Of the draws.

    Models are drawn with replacement (percentile method, Efron & Tibshirani 1993); None for fewer than four models, or
    where the scores are constant or lie on one line.
    """
    import numpy as np

    n = len(x)
    if n < MIN_FOR_INTERVAL or is_constant(x) or is_constant(y):
        return None
    rng = np.random.default_rng(seed)
    drawn_SN = rng.integers(n, size=(NUM_BOOTSTRAPS, n))
    columns = []
    for scores, counts in zip((x, y), sizes, strict=True):
        shares_SN, counts_N = np.array(scores)[drawn_SN] / 100, np.array([count or 0 for count in counts])
        counts_SN = counts_N[drawn_SN]
        again_SN = rng.binomial(counts_SN, shares_SN) / np.maximum(counts_SN, 1)
        columns.append(np.where(counts_SN > 0, again_SN, shares_SN))
    centred = [column_SN - column_SN.mean(axis=1, keepdims=True) for column_SN in columns]
    spread_S = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    kept_S = spread_S > TINY  # a draw of one model only has no correlation
    found_S = (centred[0] * centred[1]).sum(axis=1)[kept_S] / spread_S[kept_S]
    if not len(found_S) or np.ptp(found_S) < TINY:  # points on one line: every draw gives the same
        return None
    return Interval(*(float(quantile) for quantile in np.quantile(found_S, [0.025, 0.975])))


def is_constant(scores: Sequence[float]) -> bool:
    """Tell whether all scores are the same, so that nothing correlates with them."""
    return len(set(scores)) == 1


def compute_pearson(x: Sequence[float], y: Sequence[float]) -> float:
    """Return Pearson's correlation; NaN where one score is constant or there are fewer than two."""
    if len(x) < 2 or is_constant(x) or is_constant(y):  # rounding makes the mean of equal numbers another number
        return nan
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    spread = sqrt(sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y))
    return sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True)) / spread


def compute_fisher_interval(r: float, n: int) -> Interval | None:
    """Return Fisher's 95 % interval of a correlation; None for fewer than four models, and for 1 or -1: it has none."""
    if n < MIN_FOR_INTERVAL or abs(r) >= 1:
        return None
    half = Z_95 / sqrt(n - 3)
    return Interval(tanh(atanh(r) - half), tanh(atanh(r) + half))


def _leave_one_out(x: Sequence[float], y: Sequence[float]) -> Interval | None:
    if len(x) < MIN_FOR_INTERVAL:
        return None
    left = [compute_pearson([*x[:i], *x[i + 1 :]], [*y[:i], *y[i + 1 :]]) for i in range(len(x))]
    known = [r for r in left if not isnan(r)]
    return Interval(min(known), max(known)) if known else None


def compute_selection_regret(x: Sequence[float], y: Sequence[float], top: int = 1) -> float:
    """Return what choosing by x loses on y: the best y less the best y among the `top` models by x.

    Models that share the last place by x count as chosen by chance: the worst of them is assumed.
    """
    order = sorted(range(len(x)), key=lambda index: (-x[index], y[index]))
    return max(y) - max(y[index] for index in order[:top])
