import numpy as np
import pytest

from services.measurement.effects import raise_level, reduce_noise, stretch
from services.types import SAMPLE_RATE, AudioClip


def tone(seconds: float, hertz: float = 440.0, level: float = 0.3) -> np.ndarray:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE)).astype(
        np.float32
    )


def level_db(samples: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(samples.astype(np.float64) ** 2)))


def test_steady_noise_falls_by_ten_decibels_and_a_tone_in_it_stays_where_it_is() -> None:
    noise = np.random.default_rng(0).normal(0, 0.01, 6 * SAMPLE_RATE).astype(np.float32)
    heard = noise.copy()
    heard[3 * SAMPLE_RATE : 4 * SAMPLE_RATE] += tone(1)
    cleaned = reduce_noise(AudioClip(heard), level_db(noise)).samples
    assert len(cleaned) == len(heard)
    assert level_db(cleaned[SAMPLE_RATE : 2 * SAMPLE_RATE]) < level_db(noise) - 10
    inside = slice(round(3.1 * SAMPLE_RATE), round(3.9 * SAMPLE_RATE))
    assert np.corrcoef(cleaned[inside], tone(1)[: inside.stop - inside.start])[0, 1] > 0.9
    assert level_db(cleaned[inside]) == pytest.approx(level_db(heard[inside]), abs=1)


def test_the_level_is_raised_to_nine_tenths_of_full_scale_and_silence_stays() -> None:
    assert np.abs(raise_level(AudioClip(tone(1, level=0.01))).samples).max() == pytest.approx(0.9, abs=1e-3)
    silence = AudioClip(np.zeros(1600, np.float32))
    assert raise_level(silence) is silence


@pytest.mark.parametrize("speed", [0.5, 0.75])
def test_a_slower_recording_lasts_longer_at_the_same_pitch(speed: float) -> None:
    slow = stretch(AudioClip(tone(4)), speed)
    assert slow.duration_s == pytest.approx(4 / speed, abs=0.15)
    spectrum = np.abs(np.fft.rfft(slow.samples))
    assert float(spectrum.argmax() / slow.duration_s) == pytest.approx(440, abs=3)


def test_what_is_known_of_the_recording_is_kept() -> None:
    slow = stretch(AudioClip(tone(1), source_rate=44_100, num_channels=2, remarks=("cut_off",)), 0.5)
    assert (slow.source_rate, slow.num_channels, slow.remarks) == (44_100, 2, ("cut_off",))
