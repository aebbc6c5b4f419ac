"""The whole musical part on made sounds, with the real models."""

import re

import numpy as np
import pytest

from services.captioners.music.caption import MusicListener
from services.captioners.music.musicnn import MusicTagger
from services.captioners.music.pitches import BasicPitch
from services.captioners.music.style import StyleClassifier
from services.captioners.sounds.yamnet import YamNet
from services.types import SAMPLE_RATE, AudioClip
from services.weights import store as weights

pytestmark = pytest.mark.weights


@pytest.fixture(scope="module")
def listen() -> MusicListener:
    yamnet = YamNet(weights.ensure_folder("yamnet"))
    style = StyleClassifier(MusicTagger(weights.ensure_folder("musicnn")), yamnet.names)
    return MusicListener(yamnet, BasicPitch(weights.ensure_folder("basic-pitch")), style)


def tone(pitch: int, length_s: float) -> np.ndarray:
    time_s = np.arange(int(length_s * SAMPLE_RATE)) / SAMPLE_RATE
    hz = 440 * 2 ** ((pitch - 69) / 12)
    partials = sum(np.sin(2 * np.pi * hz * n * time_s) / n**1.5 for n in range(1, 8))
    return (0.2 * partials * np.exp(-2.5 * time_s) * np.minimum(time_s / 0.005, 1)).astype(np.float32)


def told(listen: MusicListener, samples: np.ndarray) -> str:
    return " ".join(statement.text for statement in listen(AudioClip(samples.astype(np.float32))))


@pytest.mark.parametrize("num_samples", [1, 200, 600, 1600])
def test_a_clip_of_few_frames_has_as_many_pitches(num_samples: int) -> None:
    found = BasicPitch(weights.ensure_folder("basic-pitch"))(tone(60, 1)[:num_samples])
    assert found.sounding.shape == found.starting.shape and 1 <= len(found.sounding) <= 10


def test_a_scale_is_named_with_its_direction_and_number_of_notes(listen: MusicListener) -> None:
    rising = [60, 62, 64, 65, 67, 69, 71, 72]
    text = told(listen, np.concatenate([tone(pitch, 0.45) for pitch in rising]))
    assert "8 notes are played one after another" in text
    assert "steadily upwards" in text
    assert "a major scale" in text


@pytest.mark.parametrize(
    ("pitches", "quality"),
    [((57, 60, 64), "minor"), ((55, 59, 62), "major"), ((59, 62, 65), "diminished"), ((53, 57, 61), "augmented")],
)
def test_the_quality_of_a_chord(listen: MusicListener, pitches: tuple[int, ...], quality: str) -> None:
    text = told(listen, 0.6 * sum(tone(pitch, 2.5) for pitch in pitches))
    assert f"Chord: {quality} " in text


def test_the_tempo_of_a_tune(listen: MusicListener) -> None:
    tune = [60, 67, 64, 69, 62, 65, 71, 60, 64, 67]
    text = told(listen, np.concatenate([tone(pitch, 0.5) for pitch in tune]))
    found = re.search(r"about (\d+) beats per minute", text)
    assert found is not None
    assert int(found[1]) == pytest.approx(120, abs=2)


@pytest.mark.parametrize("seed", [0, 1])
def test_noise_is_not_music(listen: MusicListener, seed: int) -> None:
    noise = 0.1 * np.random.default_rng(seed).standard_normal(4 * SAMPLE_RATE)
    assert told(listen, noise) == ""


@pytest.mark.parametrize("num_samples", [1, 800, 8000])
def test_short_or_silent_clips_say_nothing(listen: MusicListener, num_samples: int) -> None:
    assert told(listen, np.zeros(num_samples)) == ""
