import numpy as np
import pytest

from services.captioners.rhythm.onsets import are_distinct, describe_spacing, detect_onsets, detect_strokes, drop_spoken
from services.captioners.sounds.activity import ActiveSpan
from services.types import SAMPLE_RATE


def hits(times_s: list[float], *, duration_s: float, gain: float = 0.5, decay_s: float = 0.03) -> np.ndarray:
    rng = np.random.default_rng(0)
    samples = np.zeros(int(duration_s * SAMPLE_RATE), np.float32)
    for time_s in times_s:
        start = int(time_s * SAMPLE_RATE)
        length = min(int(10 * decay_s * SAMPLE_RATE), len(samples) - start)
        burst = rng.standard_normal(length) * np.exp(-np.arange(length) / (decay_s * SAMPLE_RATE))
        samples[start : start + length] += (gain * burst).astype(np.float32)
    return np.clip(samples, -1, 1)


@pytest.mark.parametrize("num_hits", [1, 2, 3, 5, 8, 13])
def test_evenly_spaced_hits_are_counted(num_hits: int) -> None:
    times_s = [0.02 + 0.4 * index for index in range(num_hits)]
    found = detect_strokes(hits(times_s, duration_s=0.4 * num_hits + 0.5))
    assert [onset.time_s for onset in found] == pytest.approx(times_s, abs=0.03)


def test_a_hit_at_the_very_first_sample_counts() -> None:
    assert len(detect_onsets(hits([0.0, 0.5, 1.0], duration_s=1.5))) == 3


@pytest.mark.parametrize("num_samples", [1600, 8000, 16_000, 16_077, 48_000])
def test_a_tone_that_runs_to_both_ends_of_the_clip_is_one_event(num_samples: int) -> None:
    sine = 0.4 * np.sin(2 * np.pi * 440 * np.arange(num_samples) / SAMPLE_RATE)
    assert [onset.time_s for onset in detect_strokes(sine.astype(np.float32))] == [0.0]


def test_a_hit_shortly_before_the_end_counts() -> None:
    assert len(detect_strokes(hits([0.3, 0.7, 1.1], duration_s=1.15))) == 3


def test_hits_over_background_noise_are_counted() -> None:
    noise = 0.005 * np.random.default_rng(1).standard_normal(3 * SAMPLE_RATE).astype(np.float32)
    assert len(detect_strokes(hits([0.3, 1.1, 1.7, 2.4], duration_s=3.0) + noise)) == 4


def test_a_weak_second_contact_belongs_to_the_step() -> None:
    heels_s = [0.1, 0.8, 1.5, 2.2]
    steps = hits(heels_s, duration_s=3.0)
    toes = hits([time_s + 0.18 for time_s in heels_s], duration_s=3.0, gain=0.02)
    assert len(detect_strokes(steps + toes)) == 4


def test_steady_noise_has_no_strokes_that_stand_out() -> None:
    noise = 0.1 * np.random.default_rng(2).standard_normal(3 * SAMPLE_RATE).astype(np.float32)
    assert not are_distinct(noise, detect_strokes(noise), fall_db=18.0, strength=1.0)


@pytest.mark.parametrize("num_samples", [1, 100, 399, 400, 800])
def test_a_clip_shorter_than_a_frame_does_not_fail(num_samples: int) -> None:
    assert len(detect_strokes(np.zeros(num_samples, np.float32))) == 0


def test_what_begins_within_speech_is_a_syllable_and_no_stroke() -> None:
    found = detect_strokes(hits([0.3, 0.8, 1.3, 1.8, 2.3], duration_s=2.8))
    kept = drop_spoken(found, (ActiveSpan(0.75, 1.5),))
    assert [onset.time_s for onset in kept] == pytest.approx([0.3, 1.8, 2.3], abs=0.03)


@pytest.mark.parametrize(
    ("gaps_s", "spacing"),
    [
        ([0.8, 0.8, 0.82, 0.79], "regular"),
        ([1.79, 1.41, 1.16], "shorter and shorter"),
        ([0.5, 0.63, 0.77, 0.98, 1.2], "longer and longer"),
        ([0.25, 0.56, 0.25, 0.57, 0.25], None),
        ([1.2, 0.4, 0.9, 0.6], None),
        ([0.8, 0.8], None),
        ([], None),
    ],
)
def test_how_the_gaps_between_strokes_develop(gaps_s: list[float], spacing: str | None) -> None:
    assert describe_spacing(np.cumsum([0.3, *gaps_s]).tolist()) == spacing
