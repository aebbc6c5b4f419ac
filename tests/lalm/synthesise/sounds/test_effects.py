"""Effects do to a signal what their names say."""

import numpy as np
import pytest

from lalm.synthesise.draft import Draw
from lalm.synthesise.sounds.effects import DEFECT_WORDS, DEFECTS, change_speed, move_past, muffle
from lalm.synthesise.sounds.waves import make_noise, make_steady_tone


def find_pitch(samples: np.ndarray) -> float:
    return float(np.abs(np.fft.rfft(samples)).argmax() * 16_000 / len(samples))


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_changes_the_sound_and_has_words(name: str) -> None:
    draw = Draw("1", "train")
    before = 0.3 * make_steady_tone(440, 2.0) + 0.02 * make_noise(draw, 2.0)
    after = DEFECTS[name](draw, before)
    assert np.isfinite(after).all()
    assert len(after) != len(before) or np.abs(after - before).max() > 0.01
    assert len(DEFECT_WORDS[name]) == 2


def test_muffling_takes_the_high_frequencies() -> None:
    draw = Draw("1", "train")
    power = np.abs(np.fft.rfft(muffle(draw, make_noise(draw, 2.0)))) ** 2
    assert power[len(power) // 2 :].sum() < 0.001 * power.sum()


def test_a_higher_speed_is_shorter_and_higher() -> None:
    faster = change_speed(make_steady_tone(440, 2.0), 1.5)
    assert len(faster) == pytest.approx(32_000 / 1.5, abs=2)
    assert find_pitch(faster) == pytest.approx(660, abs=2)


def test_a_source_that_approaches_gets_louder_and_one_that_passes_falls_in_pitch() -> None:
    draw = Draw("1", "train")
    nearer = move_past(draw, make_steady_tone(440, 6.0), "approaching")
    assert np.abs(nearer[-8000:]).max() > 3 * np.abs(nearer[:8000]).max()
    passing = move_past(draw, make_steady_tone(440, 6.0), "passing")
    assert find_pitch(passing[:32_000]) > find_pitch(passing[-32_000:]) + 20
