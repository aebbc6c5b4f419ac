import math

import numpy as np
import pytest
from scipy import stats

from eval.scoring.intervals import compute_clustered_se
from eval.scoring.statistics import (
    apply_holm_correction,
    bootstrap_correlation,
    compute_clustered_p,
    compute_cohens_h,
    compute_detectable_difference,
    compute_fisher_interval,
    compute_mcnemar_p,
    compute_paired_difference,
    compute_pearson,
    compute_selection_regret,
    correlate,
    correlate_given,
)


def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_items() -> None:
    assert compute_mcnemar_p(63, 0) == pytest.approx(2.1684e-19, rel=1e-4)
    assert compute_mcnemar_p(0, 0) == 1.0
    assert compute_mcnemar_p(5, 5) == 1.0
    assert (
        compute_mcnemar_p(9, 2)
        == compute_mcnemar_p(2, 9)
        == pytest.approx(2 * sum(math.comb(11, k) for k in range(3)) / 2**11)
    )


def test_a_paired_difference_has_the_reference_error_and_interval() -> None:
    found = compute_paired_difference([1] * 63 + [0] * 937)
    assert found.value == pytest.approx(0.063)
    assert found.se == pytest.approx(0.007687, abs=5e-7)
    assert found.ci_95 == pytest.approx((0.04793, 0.07807), abs=5e-6)


def test_clusters_of_one_change_nothing_and_whole_clusters_much() -> None:
    values = [1, 1, 0, 0, 1, 0, 1, 1]
    alone = compute_clustered_se(values, [str(number) for number in range(8)])
    assert alone == pytest.approx(np.std(values, ddof=1) / math.sqrt(8))
    doubled = compute_clustered_se(values * 2, [str(number) for number in range(8)] * 2)
    assert doubled == pytest.approx(alone)
    apart = compute_clustered_se(values * 2, [str(number) for number in range(16)])
    assert apart == pytest.approx(np.std(values * 2, ddof=1) / 4)


@pytest.mark.slow
def test_clustered_intervals_of_few_clusters_hold_as_often_as_they_say() -> None:
    # Ten recordings of six questions each, whose rights go together: the interval should hold the truth 19 times in 20.
    rng = np.random.default_rng(0)
    held = {"clustered": 0, "normal": 0}
    for _ in range(2000):
        skills = rng.normal(0, 0.3, 10).repeat(6)
        values = skills + rng.normal(0, 0.5, 60)
        clusters = [str(number) for number in range(10) for _ in range(6)]
        low, high = compute_paired_difference(values.tolist(), clusters).ci_95
        held["clustered"] += low <= 0 <= high
        low, high = compute_paired_difference(values.tolist()).ci_95
        held["normal"] += low <= 0 <= high
    assert 0.93 <= held["clustered"] / 2000 <= 0.97
    assert held["normal"] / 2000 < 0.85


def test_a_clustered_p_agrees_with_its_interval() -> None:
    clusters = [str(number // 2) for number in range(40)]
    found = compute_paired_difference([1, 1, 0, -1] * 10, clusters)
    assert (compute_clustered_p(found, 20) < 0.05) == (found.ci_95.low > 0)
    assert compute_clustered_p(found, 20) == pytest.approx(float(stats.ttest_1samp([1.0, -0.5] * 10, 0).pvalue))


def test_cohens_h_has_the_reference_value_and_a_sign() -> None:
    assert compute_cohens_h(0.66, 0.597) == pytest.approx(0.13049, abs=5e-6)
    assert compute_cohens_h(0.2, 0.2) == 0
    assert compute_cohens_h(0, 1) == pytest.approx(-math.pi)


def test_holm_steps_down_and_never_exceeds_one() -> None:
    assert apply_holm_correction([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert apply_holm_correction([0.5, 0.9]) == pytest.approx((1.0, 1.0))
    assert apply_holm_correction([]) == ()


@pytest.mark.parametrize(("correlation", "points"), [(0.0, 5.9), (0.3, 5.0), (0.5, 4.2), (0.7, 3.25)])
def test_what_a_thousand_items_can_show(correlation: float, points: float) -> None:
    variance = 2 * 0.66 * 0.34 * (1 - correlation)
    assert 100 * compute_detectable_difference(1000, variance) == pytest.approx(points, abs=0.05)


def test_correlations_agree_with_scipy_and_tell_what_one_model_decides() -> None:
    x, y = [1.0, 2, 3, 4, 10], [2.0, 1, 4, 3, 12]
    found = correlate(x, y)
    assert found.pearson == pytest.approx(compute_pearson(x, y)) == pytest.approx(stats.pearsonr(x, y).statistic)
    interval = stats.pearsonr(x, y).confidence_interval()
    assert found.ci_95 == pytest.approx((interval.low, interval.high))
    assert found.leave_one_out is not None
    assert found.leave_one_out.low == pytest.approx(compute_pearson(x[:4], y[:4]))
    assert found.leave_one_out.high > found.pearson


def test_a_constant_score_correlates_with_nothing() -> None:
    found = correlate([1.0, 1, 1, 1], [1.0, 2, 3, 4])
    assert math.isnan(found.pearson)
    assert (found.ci_95, found.leave_one_out) == (None, None)
    assert math.isnan(compute_pearson([2.0, 2], [1.0, 3]))


@pytest.mark.parametrize(
    ("n", "interval"), [(8, (0.22, 0.96)), (5, (-0.28, 0.99)), (10, (0.34, 0.95)), (20, (0.55, 0.92))]
)
def test_few_models_leave_a_wide_interval(n: int, interval: tuple[float, float]) -> None:
    assert compute_fisher_interval(0.8, n) == pytest.approx(interval, abs=0.006)


def test_three_models_and_a_perfect_line_have_no_interval() -> None:
    assert compute_fisher_interval(0.8, 3) is None
    assert compute_fisher_interval(1.0, 8) is None


def test_regret_is_what_the_best_by_x_loses_on_y_and_ties_are_assumed_the_worst() -> None:
    x, y = [3.0, 2, 1], [10.0, 15, 12]
    assert compute_selection_regret(x, y) == 5
    assert compute_selection_regret(x, y, top=2) == 0
    assert compute_selection_regret([3.0, 3, 1], [15.0, 10, 12]) == 5


@pytest.mark.parametrize("value", [0.1, 53.3, 66.1])
def test_rounding_makes_no_correlation_out_of_equal_scores(value: float) -> None:
    # The mean of eight times 66.1 is not 66.1.
    for n in range(3, 9):
        assert math.isnan(compute_pearson([value] * n, list(range(n))))


@pytest.mark.parametrize("odd", [0, 3])
def test_a_model_without_which_a_score_is_constant_leaves_the_others_range(odd: int) -> None:
    x, y = [66.25] * 3, [1.0, 2, 3]
    x.insert(odd, 50.0)
    y.insert(odd, 5.0)
    found = correlate(x, y)
    assert found.leave_one_out == pytest.approx((-0.971, -0.866), abs=1e-3)


def test_a_partial_correlation_is_that_of_the_residuals() -> None:
    rng = np.random.default_rng(3)
    z = rng.normal(size=12)
    x, y = (z + rng.normal(size=12)).tolist(), (z + rng.normal(size=12)).tolist()
    left = [np.array(scores) - np.polyval(np.polyfit(z, scores, 1), z) for scores in (x, y)]
    found = correlate_given(x, y, z.tolist())
    assert found.pearson == pytest.approx(float(np.corrcoef(*left)[0, 1]))
    # Student's t with n - 3 degrees of freedom, as the residuals have lost one more.
    statistic = found.pearson * math.sqrt(9 / (1 - found.pearson**2))
    assert found.p == pytest.approx(2 * float(stats.t.sf(abs(statistic), 9)))
    assert math.isnan(correlate_given(x, y, x).pearson)


def test_a_bootstrap_over_models_and_questions_is_wider_than_over_models_alone() -> None:
    x, y = [40.0, 50.0, 55.0, 60.0, 70.0, 72.0], [41.0, 48.0, 58.0, 57.0, 72.0, 70.0]
    exact = bootstrap_correlation(x, y, ([None] * 6, [None] * 6))
    drawn = bootstrap_correlation(x, y, ([50] * 6, [50] * 6))
    assert exact is not None and drawn is not None
    assert drawn.low < exact.low < compute_pearson(x, y) <= exact.high <= 1
    assert bootstrap_correlation(x[:3], y[:3], ([None] * 3, [None] * 3)) is None
    assert bootstrap_correlation([1.0] * 6, y, ([None] * 6, [None] * 6)) is None
