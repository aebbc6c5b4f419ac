"""Where a long recording is cut."""

from itertools import pairwise

import numpy as np
import pytest

from services.captioners.frames import Floats
from services.captioners.sounds.activity import ActiveSpan, ActiveSpans
from services.longform import split as module
from services.longform.split import PART_S, split, split_at_pauses
from services.types import SAMPLE_RATE, AudioClip

PAUSE_EVERY_S, PAUSE_S = 7.0, 0.5


def talk(seconds: float) -> AudioClip:
    """Return noise for speech, in which a pause of zeros begins every seven seconds."""
    noise = np.random.default_rng(0).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)
    for start_s in np.arange(PAUSE_EVERY_S, seconds, PAUSE_EVERY_S):
        noise[round(start_s * SAMPLE_RATE) : round((start_s + PAUSE_S) * SAMPLE_RATE)] = 0.0
    return AudioClip(noise)


def hear_noise(samples: Floats) -> ActiveSpans:
    """Take for speech what is not zero, as the voice detector does with talk."""
    is_on = np.abs(samples) > 0
    edges = np.flatnonzero(np.diff(np.concatenate(([False], is_on, [False])).astype(np.int8))) / SAMPLE_RATE
    return tuple(ActiveSpan(float(start), float(end)) for start, end in zip(edges[::2], edges[1::2], strict=True))


@pytest.fixture(autouse=True)
def _voice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "detect_speech", hear_noise)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [90.5, 100.0, 119.0, 121.3, 200.0, 601.7])
def test_the_parts_are_the_recording_and_no_cut_is_within_speech(seconds: float) -> None:
    clip = talk(seconds)
    parts = split_at_pauses(clip)
    assert np.array_equal(np.concatenate([part.clip.samples for part in parts]), clip.samples)
    assert all(before.end_s == after.start_s for before, after in pairwise(parts))
    assert all(10 < part.end_s - part.start_s <= PART_S for part in parts)
    assert all(clip.samples[round(part.start_s * SAMPLE_RATE)] == 0.0 for part in parts[1:])


def test_a_recording_that_is_not_long_is_one_part_and_the_clip_itself() -> None:
    clip = talk(89.0)
    (part,) = split_at_pauses(clip)
    assert part.clip is clip


def test_speech_without_a_pause_is_cut_where_it_is_quietest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "detect_speech", lambda samples: (ActiveSpan(0.0, len(samples) / SAMPLE_RATE),))
    samples = np.random.default_rng(0).normal(0, 0.1, 100 * SAMPLE_RATE).astype(np.float32)
    samples[round(47.1 * SAMPLE_RATE) : round(47.3 * SAMPLE_RATE)] *= 0.1
    assert split_at_pauses(AudioClip(samples))[0].end_s == pytest.approx(47.2, abs=0.1)


@pytest.mark.slow
async def test_the_same_recording_is_always_cut_at_the_same_places() -> None:
    first, again = await split(talk(300.0)), await split(talk(300.0))
    assert [part.clip.sha256 for part in first] == [part.clip.sha256 for part in again]
    assert [str(part) for part in first][:2] == ["0:00-0:56", "0:56-1:52"]
