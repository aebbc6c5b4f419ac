import random

import pytest

from agents.reading.confidence import apply_temperature
from eval.scoring.scoring import Verdict
from eval.scoring.temperatures import Subject, fit_calibration

SUBJECT = Subject("reader", "1", "cascade", "drawn questions")


def draw(num_options: int, num_questions: int, spoilt_by: float, findings: float | None = None) -> list[Verdict]:
    """Draw right options from calibrated distributions, and tell them at another temperature."""
    chance = random.Random(num_options)
    verdicts = []
    for number in range(num_questions):
        weights = [chance.gammavariate(0.8, 1) + 1e-6 for _ in range(num_options)]
        shares = {str(place): weight / sum(weights) for place, weight in enumerate(weights)}
        right = chance.choices(range(num_options), weights)[0]
        told = tuple(apply_temperature(shares, spoilt_by).values())
        verdicts.append(
            Verdict(
                id=f"{num_options}-{number}",
                task="sound",
                raw_probabilities=told,
                probabilities=tuple(apply_temperature(shares, 0.5).values()) if findings else told,
                findings_temperature=findings,
                right=right,
                correct_strict=max(range(num_options), key=told.__getitem__) == right,
            )
        )
    return verdicts


@pytest.mark.slow
def test_each_number_of_options_gets_the_temperature_that_undoes_what_spoilt_it() -> None:
    found = fit_calibration([*draw(3, 400, 4.0), *draw(8, 400, 2.0)], SUBJECT)
    assert found is not None
    assert [one.num_options for one in found.temperatures] == [3, 8]
    assert found.find_temperature(3) == pytest.approx(1 / 4, rel=0.25)
    assert found.find_temperature(8) == pytest.approx(1 / 2, rel=0.25)
    assert found.held_out.ece < 0.04 < found.held_out.ece_raw
    assert found.held_out.brier < found.held_out.brier_raw
    assert (found.model, found.path, found.findings_temperature) == ("reader", "cascade", 1.0)


def test_numbers_of_options_with_few_questions_share_one_temperature() -> None:
    found = fit_calibration([*draw(3, 15, 4.0), *draw(4, 18, 4.0)], SUBJECT)
    assert found is not None
    assert [(one.num_options, one.num_questions) for one in found.temperatures] == [(4, 33)]


def test_the_temperature_after_listening_again_is_fitted_before_the_last_one_was_applied() -> None:
    found = fit_calibration(draw(4, 400, 1.0, findings=1.5), SUBJECT)
    assert found is not None
    assert found.findings_temperature == pytest.approx(3.0, rel=0.25)


def test_a_few_questions_or_no_probabilities_fit_nothing() -> None:
    assert fit_calibration(draw(4, 10, 1.0), SUBJECT) is None
    assert fit_calibration([Verdict(id=str(number), task="sound", right=0) for number in range(50)], SUBJECT) is None
