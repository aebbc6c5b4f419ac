import numpy as np

from services.captioners.windows import split_clip
from services.types import SAMPLE_RATE, AudioClip


def test_windows_cover_a_long_clip_without_loss() -> None:
    clip = AudioClip(np.arange(SAMPLE_RATE * 61, dtype=np.float32) / 1e6)
    windows = list(split_clip(clip, 30))
    assert [window.start_s for window in windows] == [0, 30]
    assert np.array_equal(np.concatenate([window.clip.samples for window in windows]), clip.samples)
