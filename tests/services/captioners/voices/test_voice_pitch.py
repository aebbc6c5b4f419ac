import numpy as np
import pytest

from services.captioners.voices.voice_pitch import track_pitch

RATE = 16_000


def buzz(pitch_hz: float, duration_s: float = 1.0) -> np.ndarray:
    t = np.arange(round(duration_s * RATE)) / RATE
    return sum(0.1 * np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 8)).astype(np.float32)


@pytest.mark.parametrize("pitch_hz", [75, 110, 220, 440])
def test_the_pitch_of_a_buzz_is_found_within_half_a_percent(pitch_hz: float) -> None:
    assert np.nanmedian(track_pitch(buzz(pitch_hz))) == pytest.approx(pitch_hz, rel=0.005)


def test_noise_is_mostly_unvoiced() -> None:
    samples = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    assert np.isfinite(track_pitch(samples)).mean() < 0.2


def test_silence_and_snippets_are_unvoiced() -> None:
    assert not np.isfinite(track_pitch(np.zeros(RATE, np.float32))).any()
    assert not np.isfinite(track_pitch(buzz(200, 0.03))).any()
