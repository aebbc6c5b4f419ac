"""Confidence intervals of shares: Wilson's, and those of items that share a source (clustered standard errors)."""

from collections import defaultdict
from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

Z_95 = 1.959963984540054  # normal quantile: two-sided 95 %
TINY = 1e-12  # what rounding leaves of a standard error of 0
FEW_CLUSTERS = 30
"""Below this, clustered intervals hold less often than they say (Cameron & Miller 2015, section VI)."""


class Interval(NamedTuple):
    """A confidence interval of a proportion."""

    low: float
    high: float


def compute_wilson_interval(num_correct: int, n: int) -> Interval:
    """Return the 95 % Wilson score interval (Wilson 1927), which holds near 0 and 1 and for small n."""
    if n == 0:
        return Interval(0.0, 1.0)
    share = num_correct / n
    shrink = 1 + Z_95**2 / n
    centre = (share + Z_95**2 / (2 * n)) / shrink
    half_width = Z_95 / shrink * sqrt(share * (1 - share) / n + Z_95**2 / (4 * n**2))
    # The formula gives exactly 0 and 1 at the ends, but for rounding: an interval holds its own share.
    low = 0.0 if num_correct == 0 else max(0.0, centre - half_width)
    return Interval(low, 1.0 if num_correct == n else min(1.0, centre + half_width))


def compute_clustered_se(values: Sequence[float], clusters: Sequence[str]) -> float:
    """Return the clustered standard error of the mean of `values`, of two clusters or more.

    The square root of the summed squares of each cluster's summed deviations, over n (Miller 2024,
    arXiv:2411.00640, section 2.2), times that of G / (G - 1) for G clusters (CR1, Cameron & Miller 2015, section VI):
    few clusters make it too small otherwise. Of clusters of one it is the ordinary standard error.
    """
    mean = sum(values) / len(values)
    deviations: defaultdict[str, float] = defaultdict(float)
    for value, cluster in zip(values, clusters, strict=True):
        deviations[cluster] += value - mean
    num = len(deviations)
    return sqrt(sum(deviation**2 for deviation in deviations.values()) * num / (num - 1)) / len(values)


def compute_student_quantile(num_clusters: int) -> float:
    """Return the two-sided 95 % quantile of Student's t with a degree of freedom less than there are clusters."""
    from scipy.special import stdtrit  # scipy.stats takes a second to import

    return float(stdtrit(num_clusters - 1, 0.975))


def compute_clustered_interval(values: Sequence[float], clusters: Sequence[str]) -> Interval:
    """Return the 95 % interval of the mean of values in [0, 1], of two clusters or more, by Student's t.

    Where all clusters have the same share their standard error is 0, which says nothing about further clusters: the
    interval then leaves room for those that would differ (`widen_equal`).
    """
    mean, se = sum(values) / len(values), compute_clustered_se(values, clusters)
    num = len(set(clusters))
    if se < TINY:
        return widen_equal(mean, num, Interval(0.0, 1.0))
    half = compute_student_quantile(num) * se
    return Interval(max(0.0, mean - half), min(1.0, mean + half))


def widen_equal(value: float, num: int, bounds: Interval) -> Interval:
    """Return the 95 % interval of a mean where all of `num` observations are the same number.

    None of `num` differs, so up to a share w may, Wilson's upper bound for 0 of `num`; what differs may lie anywhere
    within the bounds. At either bound this is Wilson's interval itself.
    """
    share = compute_wilson_interval(0, num).high
    return Interval(value - share * (value - bounds.low), value + share * (bounds.high - value))


def warn_of_few(num_clusters: int) -> str:
    """Return a sentence, with a space before it, where sources are too few to trust; nothing where they are enough."""
    if num_clusters >= FEW_CLUSTERS:
        return ""
    return f" Fewer than {FEW_CLUSTERS} sources: take the interval for too narrow."
