"""Mel scales: Slaney's filter bank (Auditory Toolbox, 1998), bit for bit as in librosa, and O'Shaughnessy's scale.

Importing librosa, which loads a compiler, takes longer than describing a clip.
"""

import numpy as np
from numpy.typing import NDArray

from services.captioners.frames import Floats
from services.types import SAMPLE_RATE

LINEAR_HZ, LOG_FROM_HZ, LOG_STEP = 200 / 3, 1000.0, np.log(6.4) / 27


def space_on_mel_scale(low_hz: float, high_hz: float, count: int) -> NDArray[np.float64]:
    """Return frequencies in Hz that lie evenly on the mel scale 2595 log10(1 + f / 700), as in HTK; shape (count,)."""
    edges_mel = np.linspace(2595 * np.log10(1 + low_hz / 700), 2595 * np.log10(1 + high_hz / 700), count)
    edges_hz: NDArray[np.float64] = 700 * (10 ** (edges_mel / 2595) - 1)
    return edges_hz


def make_mel_filters(frame_samples: int, num_mels: int) -> Floats:
    """Return Slaney's triangular filters of equal area from 0 to 8 kHz, shape (frame_samples // 2 + 1, num_mels).

    Args:
        frame_samples: length of the frames, at 16 kHz.
        num_mels: number of triangles.
    """
    top_mel = LOG_FROM_HZ / LINEAR_HZ + np.log(SAMPLE_RATE / 2 / LOG_FROM_HZ) / LOG_STEP
    mels = np.linspace(0, top_mel, num_mels + 2)
    above = mels >= LOG_FROM_HZ / LINEAR_HZ
    edges_hz = LINEAR_HZ * mels
    edges_hz[above] = LOG_FROM_HZ * np.exp(LOG_STEP * (mels[above] - LOG_FROM_HZ / LINEAR_HZ))
    widths, slopes = np.diff(edges_hz), np.subtract.outer(edges_hz, np.fft.rfftfreq(frame_samples, 1 / SAMPLE_RATE))
    triangles = np.minimum(-slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None])
    filters = np.maximum(0, triangles).astype(np.float32)
    filters *= (2.0 / (edges_hz[2:] - edges_hz[:-2]))[:, None]
    return np.asarray(filters.T, np.float32)
