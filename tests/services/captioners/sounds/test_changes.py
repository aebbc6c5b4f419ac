"""Change-point detection: continuous sounds that follow one another, made of tones and noise."""

from itertools import pairwise

import numpy as np
import pytest

from services.captioners.sounds.changes import find_changes, find_regions

RATE = 16_000


def tone(duration_s: float, hertz: float = 440.0, level_db: float = -20.0) -> np.ndarray:
    times = np.arange(round(duration_s * RATE)) / RATE
    return fade(10 ** (level_db / 20) * np.sqrt(2) * np.sin(2 * np.pi * hertz * times))


def noise(duration_s: float, level_db: float = -30.0, seed: int = 0) -> np.ndarray:
    samples = np.random.default_rng(seed).standard_normal(round(duration_s * RATE))
    return fade(10 ** (level_db / 20) * samples)


def silence(duration_s: float) -> np.ndarray:
    return np.zeros(round(duration_s * RATE))


def fade(samples: np.ndarray) -> np.ndarray:
    ramp = np.minimum(1, np.arange(len(samples)) / 160)
    return samples * ramp * ramp[::-1]


def join(*parts: np.ndarray) -> np.ndarray:
    return np.concatenate(parts).astype(np.float32)


@pytest.mark.parametrize(
    "parts",
    [
        (tone(3), noise(4, -26)),
        (tone(3), noise(4, -45)),
        (noise(4, -45), tone(3)),
        (noise(3, -45), noise(3, -20)),
        (noise(3, -20), noise(3, -45)),
        (tone(2, 300), tone(2, 1500)),
        (tone(2), noise(3, -40), tone(2)),
    ],
    ids=["to hiss", "to faint hiss", "from hiss", "louder", "quieter", "higher", "between"],
)
def test_sounds_without_a_pause_between_them_are_cut_where_they_meet(parts: tuple[np.ndarray, ...]) -> None:
    edges_s = np.cumsum([0, *map(len, parts)]) / RATE
    spans = [region.spans[0] for region in find_regions(join(*parts))]
    assert len(spans) == len(parts)
    for span, (start_s, end_s) in zip(spans, pairwise(edges_s), strict=True):
        assert span.start_s == pytest.approx(start_s, abs=0.05)
        assert span.end_s == pytest.approx(end_s, abs=0.05)


def test_what_begins_after_a_pause_far_quieter_than_the_rest_has_its_place() -> None:
    loud, faint = find_regions(join(tone(3), silence(1), noise(3, -50)))
    assert (loud.spans[-1].end_s, faint.spans[0].start_s) == pytest.approx((3.0, 4.0), abs=0.05)
    assert faint.is_own


def test_what_begins_under_a_louder_sound_is_a_change() -> None:
    (change,) = find_changes(join(np.concatenate([tone(7)]) + np.concatenate([silence(3), noise(4, -38)])))
    assert (change.begins, change.ends) == (True, False)
    assert change.time_s == pytest.approx(3.0, abs=0.05)


def test_one_sound_may_begin_as_another_ends() -> None:
    (change,) = find_changes(join(tone(3, 300) + tone(3, 900) + tone(3, 2500), noise(3, -35)))
    assert (change.begins, change.ends) == (True, True)


def test_a_steady_sound_has_no_change() -> None:
    assert find_changes(join(noise(8))) == ()


def test_short_events_over_a_background_are_not_changes() -> None:
    samples = noise(8, -50)
    for start_s in (1, 3, 4.5, 6):
        samples[round(start_s * RATE) :][: RATE // 5] += tone(0.2, 900, -12)
    (region,) = find_regions(samples.astype(np.float32))
    assert not region.is_own
    assert len(region.spans) == 4


@pytest.mark.parametrize("duration_s", [0.001, 0.3, 0.8])
def test_short_and_silent_clips_have_no_change(duration_s: float) -> None:
    assert find_changes(join(noise(duration_s))) == ()
    assert find_regions(join(silence(duration_s))) == ()
