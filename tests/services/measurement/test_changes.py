import numpy as np
import pytest

from services.measurement.changes import list_changes
from services.types import SAMPLE_RATE, AudioClip


def noise(seconds: float, level: float) -> np.ndarray:
    return np.random.default_rng(0).normal(0, level, round(seconds * SAMPLE_RATE)).astype(np.float32)


def test_a_sound_that_begins_and_one_that_ends_are_listed_with_their_levels() -> None:
    heard = np.concatenate([noise(4, 0.005), noise(4, 0.05), noise(4, 0.005)])
    first, second = list_changes(AudioClip(heard))
    assert (first.time_s, second.time_s) == (pytest.approx(4, abs=0.1), pytest.approx(8, abs=0.1))
    assert (first.begins, first.ends, second.begins, second.ends) == (True, False, False, True)
    assert first.level_db == pytest.approx(20, abs=1) and second.level_db == pytest.approx(-20, abs=1)


def test_what_turns_from_low_to_high_gets_brighter() -> None:
    seconds = np.arange(4 * SAMPLE_RATE) / SAMPLE_RATE
    low, high = (sum(np.sin(2 * np.pi * f * seconds) for f in tones) for tones in ((200, 300), (3000, 4000)))
    (change,) = list_changes(AudioClip(np.concatenate([0.1 * low, 0.1 * high]).astype(np.float32)))
    assert change.time_s == pytest.approx(4, abs=0.1) and change.brightness > 5


@pytest.mark.parametrize("clip", [noise(6, 0.05), np.zeros(6 * SAMPLE_RATE, np.float32), noise(0.1, 0.1)])
def test_what_stays_alike_does_not_change(clip: np.ndarray) -> None:
    assert list_changes(AudioClip(clip)) == ()
