"""Framing of a signal: overlapping frames of samples, from which spectra and levels are computed."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]


def cut_frames(samples: Floats, size: int, hop: int) -> Floats:
    """Return the frames that fit into the samples, shape (num_frames, size): a read-only view, no copy.

    Args:
        samples: shape (num_samples,), at least `size` of them.
        size: samples of a frame.
        hop: samples from the start of one frame to the start of the next.
    """
    return np.lib.stride_tricks.sliding_window_view(samples, size)[::hop]
