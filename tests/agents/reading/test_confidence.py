from math import log

import pytest

from agents.reading.confidence import Factor, apply_temperature, measure_confidence, pool_distributions


def test_three_views_of_a_distribution() -> None:
    found = measure_confidence({"A": 0.5, "B": 0.3, "C": 0.2})
    entropy = -(0.5 * log(0.5) + 0.3 * log(0.3) + 0.2 * log(0.2))
    assert found == pytest.approx((0.5, 0.2, 1 - entropy / log(3)))
    assert measure_confidence({"A": 0.25, "B": 0.25, "C": 0.25, "D": 0.25}) == pytest.approx((0.25, 0, 0))
    assert measure_confidence({"A": 1.0, "B": 0.0}) == (1.0, 1.0, 1.0)
    assert measure_confidence({}) == (0, 0, 0)


def test_a_temperature_keeps_the_order_and_changes_how_sure() -> None:
    told = {"A": 0.6, "B": 0.3, "C": 0.1}
    assert apply_temperature(told, 1) == pytest.approx(told)
    cold = apply_temperature(told, 0.5)
    assert cold == pytest.approx({"A": 36 / 46, "B": 9 / 46, "C": 1 / 46})
    assert sorted(cold, key=cold.__getitem__) == ["C", "B", "A"]


def test_a_product_lets_the_surer_part_decide_and_forgets_an_unknown_one() -> None:
    sure, unsure = {"A": 0.9, "B": 0.1}, {"A": 0.4, "B": 0.6}
    assert pool_distributions(Factor(sure, 1), Factor(unsure, 1)) == pytest.approx({"A": 6 / 7, "B": 1 / 7})
    assert pool_distributions(Factor(sure, 0), Factor(unsure, 1)) == pytest.approx(unsure)
    assert pool_distributions(Factor({}, 1), Factor(unsure, 1)) == pytest.approx(unsure)
    assert pool_distributions(Factor({}, 1)) == {}
