"""Intervals of shares: none is of no width, however few the sources and however alike."""

import pytest

from eval.scoring.intervals import Interval, compute_clustered_interval, compute_wilson_interval, widen_equal
from eval.scoring.scoring import Verdict, summarise
from eval.scoring.statistics import compute_clustered_p, compute_paired_difference


def test_sources_of_one_and_the_same_share_leave_room_for_others() -> None:
    low, high = compute_clustered_interval([1, 0] * 3, ["a", "a", "b", "b", "c", "c"])
    # Upper bound of 0 of 3 by Wilson: z^2 / (3 + z^2) = 0.5615; half of the way to 0 and to 1.
    assert (low, high) == pytest.approx((0.5 - 0.5615 / 2, 0.5 + 0.5615 / 2), abs=1e-3)


@pytest.mark.parametrize("right", [0, 1])
def test_sources_that_are_all_right_or_all_wrong_have_wilson_s_interval_over_sources(right: int) -> None:
    found = compute_clustered_interval([right] * 8, list("aabbccdd"))
    assert found == pytest.approx(compute_wilson_interval(4 * right, 4))


def test_more_sources_make_it_narrower() -> None:
    widths = []
    for num in (2, 5, 30, 1000):
        low, high = compute_clustered_interval([1, 0] * num, [str(n // 2) for n in range(2 * num)])
        assert low < 0.5 < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.01


def test_the_summary_of_a_run_has_an_interval_of_some_width() -> None:
    verdicts = [Verdict(id=f"{n}", task="t", cluster=f"{n // 2}", correct_strict=n % 2 == 0) for n in range(6)]
    summary = summarise(verdicts)
    assert summary.clustered_se == 0
    assert summary.clustered_95 is not None
    assert summary.clustered_95.high - summary.clustered_95.low > 0.5


def test_two_runs_that_differ_alike_in_every_source_are_not_told_apart_for_certain() -> None:
    difference = compute_paired_difference([1, 0] * 3, ["a", "a", "b", "b", "c", "c"])
    assert difference.ci_95.low < 0
    assert difference.ci_95.high > 0.5
    assert compute_clustered_p(difference, 3) == 0.25  # the sign test of three of three
    assert compute_clustered_p(compute_paired_difference([0] * 4, list("aabb")), 2) == 1.0


def test_two_runs_without_a_difference_may_yet_differ() -> None:
    low, high = compute_paired_difference([0] * 20).ci_95
    assert (low, high) == pytest.approx((-compute_wilson_interval(0, 20).high, compute_wilson_interval(0, 20).high))


def test_the_bounds_hold() -> None:
    assert widen_equal(-1.0, 2, Interval(-1.0, 1.0)).low == -1.0
    assert widen_equal(1.0, 2, Interval(-1.0, 1.0)).high == 1.0
