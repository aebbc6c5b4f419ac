"""Frames overlap as asked, and none reaches beyond the samples."""

import numpy as np
import pytest

from services.captioners.frames import cut_frames


def test_frames_start_a_hop_apart_and_what_does_not_fill_one_is_left_out() -> None:
    samples = np.arange(10, dtype=np.float32)
    assert cut_frames(samples, 4, 3).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6], [6, 7, 8, 9]]
    assert cut_frames(samples[:9], 4, 3).tolist() == [[0, 1, 2, 3], [3, 4, 5, 6]]
    assert cut_frames(samples[:4], 4, 1).tolist() == [[0, 1, 2, 3]]


def test_frames_are_a_view_that_cannot_be_written_to() -> None:
    samples = np.zeros(8, np.float32)
    frames = cut_frames(samples, 4, 2)
    assert np.shares_memory(frames, samples)
    with pytest.raises(ValueError, match="read-only"):
        frames[0] = 1
