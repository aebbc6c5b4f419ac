"""Tempo estimation in beats per minute by autocorrelation of the onset strength."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.music.onsets import FRAMES_PER_S, LAG_FRAMES, compute_spectral_flux
from services.captioners.sounds.yamnet import FRAME_HOP, compute_log_mel
from services.types import SAMPLE_RATE

SLOWEST_BPM, FASTEST_BPM = 40.0, 230.0
USUAL_BPM = 115.0
SPREAD_OCTAVES = 0.9  # of the prior around the usual tempo

FASTEST_TUNE_BPM = 160.0  # shorter notes of a tune are parts of a beat
FEWEST_GAPS = 5
OFF_GRID = 0.1  # mean distance of the notes from the grid, in its units, that is still a grid

Floats = NDArray[np.float32]


class Tempo(NamedTuple):
    """An estimated tempo, and how regular the beat is."""

    bpm: float
    clarity: float
    """Autocorrelation at the beat, in [0, 1]: how regular it is."""


def estimate_tempo(samples: Floats) -> Tempo | None:
    """Return the tempo of the beat; None where nothing is regular."""
    if len(samples) < 2.0 * SAMPLE_RATE:
        return None
    every = _autocorrelate(np.minimum(compute_spectral_flux(samples), 3.0).mean(axis=1))
    loud = _autocorrelate(compute_accents(samples))
    correlation = 0.5 * every + 0.5 * loud[: len(every)]
    lags = np.arange(len(correlation))
    with np.errstate(divide="ignore"):
        bpm = 60 * FRAMES_PER_S / lags
    valid = (bpm >= SLOWEST_BPM) & (bpm <= FASTEST_BPM)
    prior = np.exp(-0.5 * (np.log2(np.where(valid, bpm, 1) / USUAL_BPM) / SPREAD_OCTAVES) ** 2)
    score = np.where(valid, _add_multiples(correlation) * prior, 0)
    lag = int(score.argmax())
    return (
        Tempo(60 * FRAMES_PER_S / _refine_period(correlation, lag), float(correlation[lag])) if score[lag] > 0 else None
    )


def estimate_tempo_of_melody(starts_s: list[float]) -> Tempo | None:
    """Return the tempo of a melody from the grid on which its notes start; None where they keep to no grid."""
    gaps_s = np.diff(starts_s)
    if len(gaps_s) < FEWEST_GAPS:
        return None
    for unit_s in np.geomspace(1.3, 0.14, 300):
        counts = np.round(gaps_s / unit_s)
        if counts.min() >= 1 and np.abs(gaps_s / unit_s - counts).mean() < OFF_GRID:
            unit_bpm = 60 / float((gaps_s * counts).sum() / (counts**2).sum())
            bpm = next(unit_bpm / parts for parts in (1, 2, 4, 8) if unit_bpm / parts <= FASTEST_TUNE_BPM)
            return Tempo(bpm, 1 - float(np.abs(gaps_s / unit_s - counts).mean()) / OFF_GRID)
    return None


def compute_accents(samples: Floats) -> Floats:
    """Return how much the amplitude rises at each frame: kick and snare stand out, the hi-hat between them does not."""
    amplitude = np.exp(compute_log_mel(np.pad(samples, FRAME_HOP)))
    amplitude = np.sqrt(np.pad(amplitude, ((LAG_FRAMES, 0), (0, 0))))
    return np.asarray(np.maximum(amplitude[LAG_FRAMES:] - amplitude[:-LAG_FRAMES], 0).mean(axis=1), np.float32)


def _autocorrelate(curve: Floats) -> Floats:
    centred = np.convolve(curve, np.hanning(7) / np.hanning(7).sum(), mode="same")
    centred = centred - centred.mean()
    size = 2 * len(centred)
    power = np.abs(np.fft.rfft(centred, size)) ** 2
    full = np.fft.irfft(power)[: len(centred)]
    overlap = np.arange(len(centred), 0, -1) / len(centred)
    scaled: Floats = (full / max(full[0], 1e-9) / np.maximum(overlap, 0.3)).astype(np.float32)
    return scaled


def _add_multiples(correlation: Floats) -> Floats:
    """Add what the double, triple and fourfold lag say: a true beat period repeats there too."""
    total = correlation.copy()
    for factor, weight in ((2, 0.6), (3, 0.35), (4, 0.35)):
        lags = np.arange(len(correlation)) * factor
        inside = lags < len(correlation)
        total[inside] += weight * correlation[lags[inside]]
    return total


def _refine_period(correlation: Floats, lag: int) -> float:
    """Measure the period on its longest clear multiple: a lag of whole frames is too coarse."""
    period = float(lag)
    for factor in (1, 2, 4, 8):
        centre = round(period * factor)
        if centre + 4 >= len(correlation) * 0.8:
            break
        low = max(1, centre - 3)
        window = correlation[low : centre + 4]
        best = int(window.argmax())
        if window[best] < 0.3 * correlation[lag]:
            break
        offset = 0.0
        if 0 < best < len(window) - 1:
            left, mid, right = window[best - 1 : best + 2]
            offset = 0.5 * float(left - right) / float(left - 2 * mid + right - 1e-9)
        period = (low + best + offset) / factor
    return period
