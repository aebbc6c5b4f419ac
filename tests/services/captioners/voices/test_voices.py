"""The frontends of the voice models, against the libraries that the models were trained with."""

import librosa
import numpy as np
import pytest

from services.captioners.voices import gender, voiceprint
from services.captioners.voices.gender import GenderNet
from services.captioners.voices.voiceprint import VoiceEncoder
from services.weights import store as weights

RATE = 16_000


def voice(pitch_hz: float, duration_s: float = 2.0) -> np.ndarray:
    t = np.arange(round(duration_s * RATE)) / RATE
    return sum(0.1 * np.sin(2 * np.pi * pitch_hz * k * t) / k for k in range(1, 25)).astype(np.float32)


@pytest.mark.slow
def test_the_speaker_encoder_gets_the_mels_of_librosa() -> None:
    samples = voice(150)
    expected = librosa.feature.melspectrogram(y=samples, sr=RATE, n_fft=400, hop_length=160, n_mels=40).T
    ours = voiceprint.compute_mel(samples)
    assert np.allclose(ours, expected[: len(ours)], atol=1e-5 * expected.max())


def test_the_gender_filters_leave_out_the_last_bin_of_each_triangle_as_sidekit_does() -> None:
    filters = gender._MEL_FILTERS
    assert filters.shape == (257, 24)
    assert (filters > 0).any(axis=0).all()
    assert np.flatnonzero(filters[:, -1])[-1] == 255  # not 256, which lies at 8000 Hz inside the triangle


@pytest.mark.weights
def test_embeddings_have_length_1_and_know_the_same_voice_again() -> None:
    encoder = VoiceEncoder(weights.ensure_folder("resemblyzer"))
    a, again, other = encoder([voice(110), voice(110, 1.0), voice(330)])
    assert np.linalg.norm(a) == pytest.approx(1.0, abs=1e-5)
    assert a @ again > a @ other


@pytest.mark.weights
def test_the_gender_of_a_snippet_is_a_probability() -> None:
    assert 0.0 <= GenderNet(weights.ensure_folder("ina")).estimate_female(voice(120, 0.2)) <= 1.0
