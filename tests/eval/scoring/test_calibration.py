"""Reference values worked out by hand, or by numpy on the same numbers."""

import random
from math import log

import pytest

from eval.scoring.calibration import (
    Forecast,
    calibrate,
    compute_aurc,
    compute_brier_score,
    compute_ece,
    compute_nll,
    compute_risk_coverage,
    fit_temperature,
    measure_abstention,
)
from eval.scoring.scoring import Verdict


def guess(top: float, *, is_right: bool, num_options: int = 2) -> Forecast:
    rest = (1 - top) / (num_options - 1)
    options = {"0": top} | {str(number): rest for number in range(1, num_options)}
    return Forecast(options, "0" if is_right else "1", is_right)


FOUR = [guess(0.95, is_right=True), guess(0.85, is_right=False), guess(0.85, is_right=True), guess(0.65, is_right=True)]


def test_the_scores_of_four_guesses_are_those_worked_out_by_hand() -> None:
    assert compute_ece(FOUR) == pytest.approx((0.05 + 2 * abs(0.85 - 0.5) + 0.35) / 4)
    assert compute_brier_score(FOUR) == pytest.approx(2 * (0.05**2 + 0.85**2 + 0.15**2 + 0.35**2) / 4)
    assert compute_nll(FOUR) == pytest.approx(-(log(0.95) + log(0.15) + log(0.85) + log(0.65)) / 4)


def test_equally_sure_answers_share_their_errors_on_the_curve() -> None:
    points = list(compute_risk_coverage(FOUR))
    assert [point.coverage for point in points] == [0.25, 0.5, 0.75, 1.0]
    assert [point.risk for point in points] == pytest.approx([0, 0.5 / 2, 1 / 3, 1 / 4])
    assert compute_aurc(FOUR) == compute_aurc(FOUR[::-1]) == pytest.approx((0.25 + 1 / 3 + 1 / 4) / 4)


def test_certainty_falls_into_the_last_bin() -> None:
    assert compute_ece([guess(1.0, is_right=True), guess(1.0, is_right=False)]) == pytest.approx(0.5)


def drawn(temperature: float, n: int = 4000) -> list[Forecast]:
    """Draw from calibrated distributions, and sharpen what is said of them by 1 / temperature."""
    chance = random.Random(7)
    guesses = []
    for _ in range(n):
        weights = [chance.gammavariate(0.8, 1) + 1e-6 for _ in range(4)]
        told = {str(place): weight / sum(weights) for place, weight in enumerate(weights)}
        right = chance.choices(list(told), list(told.values()))[0]
        guesses.append(Forecast(told, right, right == max(told, key=lambda option: told[option])).temper(temperature))
    return guesses


@pytest.mark.slow
@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_the_temperature_that_spoilt_calibrated_probabilities_is_found_and_undone(temperature: float) -> None:
    guesses = drawn(temperature)
    found = fit_temperature(guesses)
    assert found == pytest.approx(1 / temperature, rel=0.08)
    assert compute_ece([one.temper(found) for one in guesses]) < 0.03
    if temperature != 1:
        assert compute_ece(guesses) > 0.1


def verdicts(guesses: list[Forecast]) -> list[Verdict]:
    return [
        Verdict(
            str(number),
            "sound",
            correct_strict=one.is_right,
            probabilities=tuple(one.probabilities.values()),
            right=int(one.right),
        )
        for number, one in enumerate(guesses)
    ]


@pytest.mark.slow
def test_a_run_is_measured_at_a_temperature_from_its_other_half() -> None:
    found = calibrate(verdicts(drawn(0.4, 1500)), abstain=0.8)
    assert found is not None
    assert found.n == 1500
    assert found.tempered.ece < found.raw.ece / 2
    assert found.tempered.nll < found.raw.nll
    assert found.temperature == pytest.approx(2.5, rel=0.15)
    assert [point.coverage for point in found.risk_coverage] == pytest.approx([n / 10 for n in range(1, 11)])
    kept = found.abstention
    assert kept is not None and kept.accuracy is not None
    assert 0 < kept.answered < kept.n == 1500
    # What is at least 80 % sure and calibrated is right in more than 80 % of cases.
    assert kept.accuracy > 0.8 > 1 - found.risk_coverage[-1].risk


def test_a_run_without_probabilities_or_with_withheld_answers_has_no_calibration() -> None:
    assert calibrate([Verdict("a", "sound", correct_strict=True, right=0)]) is None
    assert calibrate([Verdict("a", "sound", probabilities=(0.5, 0.5), withheld=True)]) is None


def test_what_has_no_probabilities_counts_as_not_answered() -> None:
    found = measure_abstention(FOUR, 0.8, n=6)
    assert (found.answered, found.correct, found.n) == (3, 2, 6)
    assert found.accuracy == pytest.approx(2 / 3)
    assert measure_abstention(FOUR, 0.99, n=6).accuracy is None
