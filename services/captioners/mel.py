"""Mel filters on Slaney's scale (Auditory Toolbox, 1998), to the bit those of librosa.

Importing librosa, which brings a compiler along, takes longer than describing a clip.
"""

import numpy as np

from services.captioners.sounds.activity import Floats
from services.types import SAMPLE_RATE

LINEAR_HZ, LOG_FROM_HZ, LOG_STEP = 200 / 3, 1000.0, np.log(6.4) / 27


def make_mel_filters(frame_samples: int, num_mels: int) -> Floats:
    """Return triangles of equal area from 0 to 8 kHz, shape (frame_samples // 2 + 1, num_mels).

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
