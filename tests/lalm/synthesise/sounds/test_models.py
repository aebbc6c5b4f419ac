"""Physical models: every one sounds, ends, and is the same for the same seed."""

import numpy as np
import pytest

from lalm.synthesise.draft import Draw
from lalm.synthesise.sounds.models import SOUND_MODELS, SoundModel


@pytest.mark.parametrize("model", SOUND_MODELS, ids=lambda model: model.model)
def test_a_model_makes_a_finite_sound_that_its_seed_decides(model: SoundModel) -> None:
    first, again = (model.render(Draw("1", "train"), 2.0) for _ in range(2))
    assert first.dtype == np.float32
    assert np.isfinite(first).all()
    assert 0.5 < len(first) / 16_000 < 6
    assert np.abs(first).max() > 0
    assert (first == again).all()


def test_names_are_told_apart() -> None:
    names = [model.name for model in SOUND_MODELS]
    assert len(names) == len(set(names))
