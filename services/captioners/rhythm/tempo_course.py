"""Features of the tempo course: the stretch that makes the rhythm of one part of a clip like that of another.

On a logarithmic scale of lags, a change of tempo shifts the autocorrelation of the onset strength of any rhythm.
"""

import numpy as np

from services.captioners.frames import Floats
from services.captioners.rhythm.beat import autocorrelate
from services.captioners.rhythm.onsets import FRAMES_PER_S

PER_OCTAVE = 24
LAGS_S = 0.12 * 2 ** (np.arange(90) / PER_OCTAVE)  # up to 1.6 s
MAX_SHIFT = 28  # 1.17 octaves


def extract_tempo_course_features(curves: Floats) -> Floats:
    """Return the correlation of parts of the clip at each stretch, shape (5 * (2 * MAX_SHIFT + 1),).

    Args:
        curves: onset strength over all bands, and rise of the amplitude; shape (2, num_frames).
    """
    half, third = curves.shape[1] // 2, curves.shape[1] // 3
    first, second = _compute_log_lags(curves[:, :half]), _compute_log_lags(curves[:, half:])
    begin, middle, end = (_compute_log_lags(curves[:, i * third : (i + 1) * third]) for i in range(3))
    whole = _compute_log_lags(curves)
    pairs = ((first, second), (begin, end), (begin, middle), (middle, end), (whole, whole))
    return np.concatenate([_compare(one, other) for one, other in pairs])


def _compute_log_lags(curves: Floats) -> Floats:
    """Return the mean autocorrelation of the curves at `LAGS_S`, shape (num_lags,)."""
    frames = LAGS_S * FRAMES_PER_S
    found = [np.interp(frames, np.arange(len(curve)), autocorrelate(curve, 9), right=0.0) for curve in curves]
    return np.asarray(np.mean(found, axis=0), np.float32)


def _compare(one: Floats, other: Floats) -> Floats:
    """Return the correlation of one with the other at each shift, shape (2 * MAX_SHIFT + 1,)."""
    found = []
    for shift in range(-MAX_SHIFT, MAX_SHIFT + 1):
        a, b = (one[shift:], other[: len(other) - shift]) if shift >= 0 else (one[:shift], other[-shift:])
        a, b = a - a.mean(), b - b.mean()
        found.append(float(a @ b / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9)))
    return np.array(found, np.float32)
