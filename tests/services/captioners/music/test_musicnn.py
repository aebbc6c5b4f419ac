"""musicnn: its spectrogram against librosa's, its patches, and what it says of made sounds."""

import numpy as np
import pytest

from services.captioners.music.musicnn import (
    MAX_PATCHES,
    NUM_MELS,
    PATCH_FRAMES,
    SOURCES,
    MusicTagger,
    compute_log_mel,
    cut_patches,
)
from services.types import SAMPLE_RATE
from services.weights import store as weights

SECOND = np.arange(SAMPLE_RATE, dtype=np.float32) / SAMPLE_RATE


@pytest.mark.slow
def test_the_spectrogram_is_that_of_the_training() -> None:
    """As musicnn computes it: log10(1 + 10000 power) of librosa's Slaney mels, 512 samples, every 256."""
    librosa = pytest.importorskip("librosa")
    samples = (0.3 * np.sin(2 * np.pi * 440 * SECOND) + 0.01 * np.sin(2 * np.pi * 3000 * SECOND)).astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=512, hop_length=256, n_mels=96, pad_mode="constant"
    )
    np.testing.assert_allclose(compute_log_mel(samples), np.log10(1 + 10_000 * power.T), atol=1e-4)


@pytest.mark.parametrize(
    ("num_frames", "count"), [(1, 1), (PATCH_FRAMES, 1), (2 * PATCH_FRAMES, 2), (10_000, MAX_PATCHES)]
)
def test_patches_are_whole_and_spread_over_the_clip(num_frames: int, count: int) -> None:
    mels = np.repeat(np.arange(num_frames, dtype=np.float32)[:, None], NUM_MELS, axis=1)
    patches = cut_patches(mels)
    assert patches.shape == (count, PATCH_FRAMES, NUM_MELS)
    assert patches[0, 0, 0] == 0 and patches[-1].max() == num_frames - 1


@pytest.mark.weights
def test_a_plucked_tone_and_a_drum_are_tagged_as_what_they_are() -> None:
    tagger = MusicTagger(weights.ensure_folder("musicnn"))
    rng = np.random.default_rng(0)
    beat = np.tile(rng.normal(size=SAMPLE_RATE // 2) * np.exp(-30 * SECOND[: SAMPLE_RATE // 2]), 8).astype(np.float32)
    found = {one.network: one.logits for one in tagger(0.5 * beat)}
    assert {name: tuple(tags) for name, tags in found.items()} == dict(SOURCES)
    assert max(found["mtt"]["drums"], found["mtt"]["beat"]) > found["mtt"]["violin"] + 2
    pad = sum(np.sin(2 * np.pi * hz * np.arange(6 * SAMPLE_RATE) / SAMPLE_RATE) for hz in (220, 277.2, 329.6))
    soft = {one.network: one.logits for one in tagger((0.05 * pad).astype(np.float32))}
    assert soft["mtt"]["drums"] < found["mtt"]["drums"] - 2
    assert soft["msd"]["heavy metal"] < soft["msd"]["ambient"]
