import math

import numpy as np
import pytest
from scipy import stats

from eval.scoring.scoring import clustered_se
from eval.scoring.statistics import (
    cohens_h,
    correlate,
    detectable_difference,
    fisher_95,
    holm,
    mcnemar_exact,
    paired_difference,
    pearson,
    selection_regret,
)


def test_mcnemar_is_the_exact_binomial_test_of_the_discordant_items() -> None:
    assert mcnemar_exact(63, 0) == pytest.approx(2.1684e-19, rel=1e-4)
    assert mcnemar_exact(0, 0) == 1.0
    assert mcnemar_exact(5, 5) == 1.0
    assert (
        mcnemar_exact(9, 2) == mcnemar_exact(2, 9) == pytest.approx(2 * sum(math.comb(11, k) for k in range(3)) / 2**11)
    )


def test_a_paired_difference_has_the_reference_error_and_interval() -> None:
    found = paired_difference([1] * 63 + [0] * 937)
    assert found.value == pytest.approx(0.063)
    assert found.se == pytest.approx(0.007687, abs=5e-7)
    assert found.ci_95 == pytest.approx((0.04793, 0.07807), abs=5e-6)


def test_clusters_of_one_change_little_and_whole_clusters_much() -> None:
    values = [1, 1, 0, 0, 1, 0, 1, 1]
    alone = clustered_se(values, [str(number) for number in range(8)])
    assert alone == pytest.approx(np.std(values) / math.sqrt(8))
    doubled = clustered_se(values * 2, [str(number) for number in range(8)] * 2)
    assert doubled == pytest.approx(alone)
    assert clustered_se(values * 2, [str(number) for number in range(16)]) == pytest.approx(alone / math.sqrt(2))


def test_cohens_h_has_the_reference_value_and_a_sign() -> None:
    assert cohens_h(0.66, 0.597) == pytest.approx(0.13049, abs=5e-6)
    assert cohens_h(0.2, 0.2) == 0
    assert cohens_h(0, 1) == pytest.approx(-math.pi)


def test_holm_steps_down_and_never_exceeds_one() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([0.5, 0.9]) == pytest.approx((1.0, 1.0))
    assert holm([]) == ()


@pytest.mark.parametrize(("correlation", "points"), [(0.0, 5.9), (0.3, 5.0), (0.5, 4.2), (0.7, 3.25)])
def test_what_a_thousand_items_can_show(correlation: float, points: float) -> None:
    variance = 2 * 0.66 * 0.34 * (1 - correlation)
    assert 100 * detectable_difference(1000, variance) == pytest.approx(points, abs=0.05)


def test_correlations_agree_with_scipy_and_tell_what_one_model_decides() -> None:
    x, y = [1.0, 2, 3, 4, 10], [2.0, 1, 4, 3, 12]
    found = correlate(x, y)
    assert found.pearson == pytest.approx(pearson(x, y)) == pytest.approx(stats.pearsonr(x, y).statistic)
    interval = stats.pearsonr(x, y).confidence_interval()
    assert found.ci_95 == pytest.approx((interval.low, interval.high))
    assert found.leave_one_out is not None
    assert found.leave_one_out.low == pytest.approx(pearson(x[:4], y[:4]))
    assert found.leave_one_out.high > found.pearson


def test_a_constant_score_correlates_with_nothing() -> None:
    found = correlate([1.0, 1, 1, 1], [1.0, 2, 3, 4])
    assert math.isnan(found.pearson)
    assert (found.ci_95, found.leave_one_out) == (None, None)
    assert math.isnan(pearson([2.0, 2], [1.0, 3]))


@pytest.mark.parametrize(
    ("n", "interval"), [(8, (0.22, 0.96)), (5, (-0.28, 0.99)), (10, (0.34, 0.95)), (20, (0.55, 0.92))]
)
def test_few_models_leave_a_wide_interval(n: int, interval: tuple[float, float]) -> None:
    assert fisher_95(0.8, n) == pytest.approx(interval, abs=0.006)


def test_three_models_have_no_interval_and_a_perfect_line_no_width() -> None:
    assert fisher_95(0.8, 3) is None
    assert fisher_95(1.0, 8) == (1.0, 1.0)


def test_regret_is_what_the_best_by_x_loses_on_y_and_ties_are_assumed_the_worst() -> None:
    x, y = [3.0, 2, 1], [10.0, 15, 12]
    assert selection_regret(x, y) == 5
    assert selection_regret(x, y, top=2) == 0
    assert selection_regret([3.0, 3, 1], [15.0, 10, 12]) == 5


@pytest.mark.parametrize("value", [0.1, 53.3, 66.1])
def test_rounding_makes_no_correlation_out_of_equal_scores(value: float) -> None:
    # The mean of eight times 66.1 is not 66.1.
    for n in range(3, 9):
        assert math.isnan(pearson([value] * n, list(range(n))))


@pytest.mark.parametrize("odd", [0, 3])
def test_a_model_without_which_a_score_is_constant_leaves_the_others_range(odd: int) -> None:
    x, y = [66.25] * 3, [1.0, 2, 3]
    x.insert(odd, 50.0)
    y.insert(odd, 5.0)
    found = correlate(x, y)
    assert found.leave_one_out == pytest.approx((-0.971, -0.866), abs=1e-3)
