import numpy as np
import pytest

from services.captioners.sounds.activity import SILENCE_DB, ActiveSpan, detect_activity, measure_levels_db

RATE = 16_000


def tone(duration_s: float, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * 440 * np.arange(round(duration_s * RATE)) / RATE)).astype(np.float32)


def silence(duration_s: float) -> np.ndarray:
    return np.zeros(round(duration_s * RATE), np.float32)


def test_the_level_of_a_full_sine_is_3_db_below_full_scale() -> None:
    assert measure_levels_db(tone(1.0, 1.0)).mean() == pytest.approx(-3.01, abs=0.05)


def test_digital_silence_has_a_finite_level_below_the_threshold() -> None:
    assert measure_levels_db(silence(0.5)).max() < SILENCE_DB


@pytest.mark.parametrize("num_samples", [0, 1, 159, 160, 161])
def test_the_shortest_clips_have_a_level(num_samples: int) -> None:
    assert len(measure_levels_db(np.zeros(num_samples, np.float32))) >= 1


def test_silence_has_no_active_span() -> None:
    assert detect_activity(silence(2.0)) == ()


def test_two_tones_with_a_gap_are_two_spans() -> None:
    spans = detect_activity(np.concatenate([silence(0.5), tone(1.0), silence(0.5), tone(0.4), silence(0.2)]))
    assert [(round(span.start_s, 1), round(span.end_s, 1)) for span in spans] == [(0.5, 1.5), (2.0, 2.4)]


def test_a_short_gap_does_not_split_a_sound() -> None:
    assert len(detect_activity(np.concatenate([tone(0.5), silence(0.05), tone(0.5)]))) == 1


def test_a_steady_sound_is_one_span_over_the_whole_clip() -> None:
    (span,) = detect_activity(tone(3.0, 0.01))
    assert span == ActiveSpan(0.0, 3.0)


def test_clicks_stand_out_of_quiet_noise() -> None:
    samples = np.random.default_rng(0).normal(0, 0.002, 2 * RATE).astype(np.float32)
    for start in (8_000, 20_000):
        samples[start : start + 1600] += tone(0.1)
    assert len(detect_activity(samples)) == 2
