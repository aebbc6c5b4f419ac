"""The weight of a name is the one that makes the right options likely."""

import numpy as np
import pytest

from lalm.naming.weight import ScoredQuestion, fit_weight


def draw(num: int, *, by_likelihood: float, by_name: float, seed: int = 0) -> list[ScoredQuestion]:
    """Draw questions whose right options are drawn by a known mixture of both scores."""
    rng = np.random.default_rng(seed)
    scored = []
    for _ in range(num):
        likelihoods, cosines = rng.normal(0, 1, 4), rng.uniform(-0.2, 0.5, 4)
        logits = by_likelihood * likelihoods + by_name * cosines
        shares = np.exp(logits - np.logaddexp.reduce(logits))
        scored.append(ScoredQuestion(likelihoods, cosines, int(rng.choice(4, p=shares))))
    return scored


@pytest.mark.slow
def test_the_weight_that_drew_the_answers_is_found() -> None:
    fit = fit_weight(draw(3000, by_likelihood=0.5, by_name=8.0))
    assert fit.weight == pytest.approx(16, rel=0.15)
    assert fit.accuracy > fit.accuracy_before + 0.1
    assert fit.num_questions == 3000


@pytest.mark.slow
def test_names_that_say_nothing_get_no_weight() -> None:
    fit = fit_weight(draw(3000, by_likelihood=1.0, by_name=-3.0))
    assert fit.weight == 0
    assert fit.accuracy == fit.accuracy_before


def test_questions_may_have_different_numbers_of_options() -> None:
    scored = draw(300, by_likelihood=0.5, by_name=8.0)
    shorter = [
        one._replace(likelihoods=one.likelihoods[:2], cosines=one.cosines[:2]) for one in scored if one.right < 2
    ]
    fit = fit_weight([*scored, *shorter])
    assert fit.num_questions == len(scored) + len(shorter)
    assert fit.weight == pytest.approx(16, rel=0.5)
