"""Changes over time: when a continuous sound begins or ends, and how level and spectrum differ before and after."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.sounds.activity import measure_levels_db
from services.captioners.sounds.changes import find_changes
from services.types import SAMPLE_RATE, AudioClip

Samples = NDArray[np.float32]


class Change(NamedTuple):
    """A moment at which the sound changes, and how what follows, up to the next one, differs from what came before."""

    time_s: float
    begins: bool
    """Whether something continuous begins."""
    ends: bool
    """Whether something continuous ends."""
    level_db: float
    """By how much it is louder afterwards; negative: quieter."""
    brightness: float
    """Centre of the spectrum (spectral centroid) afterwards over that before; above 1: brighter."""


def list_changes(clip: AudioClip) -> tuple[Change, ...]:
    """List the changes of a clip, in order; empty where it sounds alike throughout."""
    found = find_changes(clip.samples)
    edges_s = [0.0, *(one.time_s for one in found), clip.duration_s]
    parts = [clip.samples[round(start * SAMPLE_RATE) : round(end * SAMPLE_RATE)] for start, end in pairwise(edges_s)]
    return tuple(
        Change(
            one.time_s,
            one.begins,
            one.ends,
            level_db=_measure_level_db(after) - _measure_level_db(before),
            brightness=_measure_centre_hz(after) / _measure_centre_hz(before),
        )
        for one, (before, after) in zip(found, pairwise(parts), strict=True)
    )


def _measure_level_db(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(10 ** (measure_levels_db(samples) / 10))))


def _measure_centre_hz(samples: Samples) -> float:
    """Return the mean frequency, weighted by the magnitude of the spectrum."""
    magnitude = np.abs(np.fft.rfft(samples.astype(np.float64))) + 1e-9
    return float((magnitude * np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)).sum() / magnitude.sum())
