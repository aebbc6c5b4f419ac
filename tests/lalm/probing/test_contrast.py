"""Contrastive probe: trained on some classes, it finds the names of those, and of others that lie as they sound."""

import numpy as np
import pytest

from lalm.probing.contrast import PairedVectors, fit_and_compare

FACTS = np.random.default_rng(0).normal(size=(24, 4))
SOUND_MAP, TEXT_MAP = np.random.default_rng(1).normal(size=(4, 20)), np.random.default_rng(2).normal(size=(4, 12))
LABELS = np.repeat(np.arange(18), 3)


@pytest.mark.slow
def test_seen_classes_are_learnt_and_unseen_ones_follow_the_facts() -> None:
    rng = np.random.default_rng(3)
    sounds = FACTS[LABELS] @ SOUND_MAP + 0.1 * rng.normal(size=(54, 20))
    seen = PairedVectors(sounds, FACTS[:18] @ TEXT_MAP, LABELS)
    similar = fit_and_compare(seen, FACTS @ SOUND_MAP, FACTS @ TEXT_MAP, seed=0)
    assert similar.shape == (24, 24)
    assert np.abs(similar).max() <= 1 + 1e-5
    assert (similar[:18].argmax(1) == np.arange(18)).mean() > 0.9
    ranks = (similar[18:] > np.diag(similar)[18:, None]).sum(1)
    assert (ranks < 5).mean() > 0.6
    again = fit_and_compare(seen, FACTS @ SOUND_MAP, FACTS @ TEXT_MAP, seed=0)
    assert (again == similar).all()
