"""Beat candidates: periods of the autocorrelation of onset strength, with features for the beat classifier."""

from typing import NamedTuple

import numpy as np
from scipy.signal import find_peaks

from services.captioners.frames import Floats
from services.captioners.rhythm.onsets import FRAMES_PER_S, compute_spectral_flux
from services.captioners.rhythm.pulse import METRES, Pulse
from services.captioners.sounds.yamnet import FRAME_HOP, compute_log_mel

SLOWEST_BPM, FASTEST_BPM = 45.0, 240.0
SHORTEST_S = 2.0  # a shorter clip has too few periods
BANDS = (slice(0, 6), slice(6, 18), slice(18, 36), slice(36, 64))  # mel bands: up to 0.3, 1, 2.6 and 7.5 kHz
MULTIPLES = (0.25, 1 / 3, 0.5, 2 / 3, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0)
MAX_CANDIDATES = 10
MIN_CORRELATION = 0.02
MAX_LAG = 0.8  # share of the clip; at longer lags the overlap is too short
MAX_FLUX = 3.0  # nepers; a stroke out of silence rises by more, which must not hide the strokes after it
USUAL_BPM = 115.0
SAME_OCTAVES = 0.06  # difference of two tempi that count as equal


class BeatCandidate(NamedTuple):
    """A period that may be the beat."""

    bpm: float
    features: Floats
    """Autocorrelation of six curves at `MULTIPLES`, distance to the usual tempo, agreement with the pulse; (95,)."""


def find_beat_candidates(curves: Floats, pulse: Pulse | None) -> tuple[BeatCandidate, ...]:
    """Return the periods at which the onset curves repeat, the clearest first; empty where nothing repeats.

    Args:
        curves: of `compute_onset_curves`, shape (6, num_frames).
        pulse: of the single strokes, where they are clear.
    """
    if curves.shape[1] < SHORTEST_S * FRAMES_PER_S:
        return ()
    correlations = np.stack([autocorrelate(curve, 7) for curve in curves])
    every = correlations.mean(axis=0)
    shortest, longest = (round(60 / bpm * FRAMES_PER_S) for bpm in (FASTEST_BPM, SLOWEST_BPM))
    peaks, _ = find_peaks(every[: longest + 3], height=MIN_CORRELATION)
    peaks = peaks[(peaks >= shortest) & (peaks <= longest)]
    best = sorted(peaks.tolist(), key=lambda lag: -float(every[lag]))[:MAX_CANDIDATES]
    return tuple(_make_candidate(correlations, _refine_period(every, lag), pulse) for lag in best)


def compute_onset_curves(samples: Floats) -> Floats:
    """Return the onset strength in four bands, over all bands, and of the amplitude, shape (6, num_frames)."""
    flux = np.minimum(compute_spectral_flux(samples), MAX_FLUX)
    if not len(flux):
        return np.zeros((6, 0), np.float32)
    amplitude = np.sqrt(np.exp(compute_log_mel(np.pad(samples, FRAME_HOP))))
    rise = np.maximum(np.diff(amplitude, axis=0, prepend=amplitude[:1]), 0).mean(axis=1)[: len(flux)]
    return np.stack([*(flux[:, band].mean(axis=1) for band in BANDS), flux.mean(axis=1), rise]).astype(np.float32)


def autocorrelate(curve: Floats, smoothing: int) -> Floats:
    """Return the autocorrelation of a curve at each lag, 1 at lag 0, after smoothing over this many frames."""
    window = np.hanning(smoothing)
    centred = np.convolve(curve, window / window.sum(), mode="same")
    centred = centred - centred.mean()
    power = np.abs(np.fft.rfft(centred, 2 * len(centred))) ** 2
    full = np.fft.irfft(power)[: len(centred)]
    overlap = np.arange(len(centred), 0, -1) / len(centred)
    return np.asarray(full / max(float(full[0]), 1e-9) / np.maximum(overlap, 0.25), np.float32)


def _make_candidate(correlations: Floats, period: float, pulse: Pulse | None) -> BeatCandidate:
    last = correlations.shape[1] - 1
    columns = []
    for multiple in MULTIPLES:
        place = period * multiple
        reach = 1 + round(0.01 * place)
        low, high = max(0, round(place) - reach), min(last, round(place) + reach)
        columns.append(correlations[:, low : high + 1].max(axis=1) if place < MAX_LAG * last else np.zeros(6))
    bpm = 60 * FRAMES_PER_S / period
    octaves = float(np.log2(bpm / USUAL_BPM))
    other = [octaves, octaves**2, *_compare_with_pulse(bpm, pulse)]
    return BeatCandidate(bpm, np.concatenate([*columns, other]).astype(np.float32))


def _compare_with_pulse(bpm: float, pulse: Pulse | None) -> list[float]:
    """Return whether there is a pulse, whether it has this tempo, half or double of it, and its metre if it has."""
    if pulse is None:
        return [0.0] * (4 + len(METRES))
    octaves = float(np.log2(bpm / pulse.bpm))
    same, double, half = (float(abs(octaves - shift) < SAME_OCTAVES) for shift in (0, 1, -1))
    return [1.0, same, double, half, *(same * pulse.contrast * (pulse.beats_per_bar == metre) for metre in METRES)]


def _refine_period(correlation: Floats, lag: int) -> float:
    """Return the period in frames, measured on its longest clear multiple: a single lag is too coarse."""
    period = float(lag)
    for factor in (1, 2, 4, 8):
        centre = round(period * factor)
        if centre + 4 >= len(correlation) * MAX_LAG:
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
