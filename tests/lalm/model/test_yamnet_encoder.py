"""YAMNet's embeddings are frames like those of any encoder."""

import numpy as np
import pytest
import torch

from lalm.model.yamnet_encoder import NAME, YamnetEncoder
from services.captioners.sounds.yamnet import YamNet
from services.types import SAMPLE_RATE, AudioClip
from services.weights import store as weights


@pytest.mark.weights
def test_pairs_of_its_patches_are_the_frames_of_each_segment() -> None:
    rng = np.random.default_rng(0)
    clip = AudioClip(rng.normal(0, 0.1, 31 * SAMPLE_RATE).astype(np.float32))
    encoder = YamnetEncoder(pool=2)
    first, second = encoder(clip)
    patches = YamNet(weights.ensure_folder(NAME))(clip.samples[: 30 * SAMPLE_RATE]).embeddings
    assert (first.shape, second.shape) == ((1, 61, 1024), (1, 1, 1024))
    torch.testing.assert_close(first[0, 3], torch.from_numpy(patches[6:8]).mean(0))
    assert encoder.shape.frames_per_s == pytest.approx(1 / 0.48)
    assert encoder.shape.first_s == pytest.approx(0.6)
