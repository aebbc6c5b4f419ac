"""Spectral facts of a recording: fundamental frequency, bandwidth and noise floor, in hertz and decibels."""

import re
from collections.abc import Sequence
from math import exp, log2
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.sounds.activity import SILENCE_DB, measure_levels_db
from services.captioners.voices.voice_pitch import track_pitch
from services.types import SAMPLE_RATE, AudioClip, Label

Samples = NDArray[np.float32]
Powers = NDArray[np.float64]

FFT_SIZE = 1024
LONGEST_S = 60.0  # what is measured of a long recording
RANGE_DB = 50.0  # below the strongest frequency, what still counts as part of the sound
FLOOR_PERCENTILE = 5
LOWEST_HZ, HIGHEST_HZ = 40.0, 2000.0  # of a fundamental
FRAME_S = 0.1  # four periods of the lowest fundamental
LEAST_PERIODIC = 0.8  # correlation of a frame with itself one period later
LEAST_SHARE = 0.3  # of the frames with sound that have a fundamental
LEAST_VOICED = 10  # frames of 10 ms that tell how high a voice is
NEAR_BEST = 0.95  # of the best correlation: the shortest period that comes so close is the fundamental's


SPREAD_OCTAVES, SPREAD_DB = 0.5, 5.0  # standard deviations of the values that options name
LEAST_WEIGHT = 0.01
VALUE = re.compile(r"(?<![\w.])(?P<number>[-−]?\d+(?:[.,]\d+)?)\s*(?P<unit>k?hz|dbfs|db)\b", re.IGNORECASE)


class SpectralFacts(NamedTuple):
    """What the spectrum of a recording shows."""

    fundamental_hz: float | None
    """Of a tone, or the median of a voice; None where it is neither."""
    low_hz: float
    high_hz: float
    """Between these frequencies the sound is within `RANGE_DB` of its strongest."""
    floor_db: float
    """5th percentile of the level, dBFS: the noise that is left where nothing else is heard."""


def weigh_spectrum(options: Sequence[str], facts: SpectralFacts) -> tuple[Label, ...]:
    """Weigh options, the likeliest first: levels by the noise floor, frequencies by the highest one.

    Empty where one of them names no such value, or they are of both sorts.
    """
    values = [found for option in options if len(found := VALUE.findall(option)) == 1]
    if len(options) < 2 or len(values) < len(options):
        return ()
    units = [unit.lower() for ((_, unit),) in values]
    numbers = [float(number.replace("−", "-").replace(",", ".")) for ((number, _),) in values]
    if all(unit.startswith("db") for unit in units):
        faults = [(number - facts.floor_db) / SPREAD_DB for number in numbers]
    elif all(unit.endswith("hz") for unit in units) and min(numbers) > 0:
        hertz = [1000 * number if unit == "khz" else number for number, unit in zip(numbers, units, strict=True)]
        faults = [log2(one / facts.high_hz) / SPREAD_OCTAVES for one in hertz]
    else:
        return ()
    weights = [exp(-0.5 * fault**2) + LEAST_WEIGHT for fault in faults]
    labels = [
        Label.round_to_label(option, weight / sum(weights)) for option, weight in zip(options, weights, strict=True)
    ]
    return tuple(sorted(labels, key=lambda label: -(label.probability or 0.0)))


def measure_spectrum(clip: AudioClip) -> SpectralFacts | None:
    """Measure a clip; None on silence, and where it is shorter than a frame."""
    samples = clip.samples[: round(LONGEST_S * SAMPLE_RATE)]
    levels = measure_levels_db(samples)
    if len(samples) < FFT_SIZE or float(levels.max()) < SILENCE_DB:
        return None
    low_hz, high_hz = _measure_band(samples)
    return SpectralFacts(find_pitch(samples), low_hz, high_hz, measure_floor_db(samples))


def measure_floor_db(samples: Samples) -> float:
    """Return the level of the quietest moments, dBFS."""
    return float(np.percentile(measure_levels_db(samples), FLOOR_PERCENTILE))


def find_pitch(samples: Samples) -> float | None:
    """Find how high a tone or a voice is, in Hz; None where it is neither."""
    steady = estimate_fundamental(samples)
    if steady is not None:
        return steady
    tracked = track_pitch(samples)
    voiced = tracked[np.isfinite(tracked)]
    return float(np.median(voiced)) if len(voiced) >= LEAST_VOICED else None


def estimate_fundamental(samples: Samples) -> float | None:
    """Estimate the fundamental frequency in Hz by normalised autocorrelation; None where the sound is not periodic."""
    size = round(FRAME_S * SAMPLE_RATE)
    if len(samples) < size:
        return None
    frames = np.lib.stride_tricks.sliding_window_view(samples, size)[:: size // 2].astype(np.float64)
    power = (frames**2).mean(axis=1)
    loud = frames[power > max(power.max() / 100, 10 ** (SILENCE_DB / 10))]
    if not len(loud):
        return None
    found = [one for frame in loud if (one := _find_period(frame)) is not None]
    return float(SAMPLE_RATE / np.median(found)) if len(found) >= LEAST_SHARE * len(loud) else None


def _find_period(frame: Powers) -> float | None:
    """Return the period of a frame in samples, between whole ones; None where it has none."""
    shortest, longest = int(SAMPLE_RATE / HIGHEST_HZ), int(SAMPLE_RATE / LOWEST_HZ)
    correlation = _correlate(frame - frame.mean(), longest)
    inside = correlation[shortest - 1 : longest + 1]
    is_peak = (inside[1:-1] >= inside[:-2]) & (inside[1:-1] > inside[2:])
    lags = np.flatnonzero(is_peak) + shortest
    if not len(lags) or correlation[lags].max() < LEAST_PERIODIC:
        return None
    refined = [_refine(correlation, int(lag)) for lag in lags]
    best = max(height for _, height in refined)
    return next(lag for lag, height in refined if height >= NEAR_BEST * best)


class _Peak(NamedTuple):
    lag: float
    height: float


def _refine(correlation: Powers, lag: int) -> _Peak:
    """Return the top of the parabola through a peak and its neighbours."""
    before, at, after = correlation[lag - 1 : lag + 2]
    curvature = before - 2 * at + after
    shift = 0.5 * (before - after) / curvature if curvature else 0.0
    return _Peak(lag + shift, at - 0.25 * (before - after) * shift)


def _correlate(frame: Powers, longest: int) -> Powers:
    """Return the correlation of a frame with itself for lags 0..longest + 1, in [-1, 1]."""
    num_lags, size = longest + 2, len(frame)
    spectrum = np.fft.rfft(frame, 2 * size)
    raw = np.fft.irfft(np.abs(spectrum) ** 2)[:num_lags]
    energy = np.concatenate(([0.0], np.cumsum(frame**2)))
    lags = np.arange(num_lags)
    scale = np.sqrt((energy[size - lags] - energy[0]) * (energy[size] - energy[lags]))
    normal: Powers = raw / np.maximum(scale, 1e-12)
    return normal


def _measure_band(samples: Samples) -> tuple[float, float]:
    """Return the lowest and the highest frequency of the sound, in Hz."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FFT_SIZE)[:: FFT_SIZE // 4]
    power_db = 10 * np.log10((np.abs(np.fft.rfft(frames * np.blackman(FFT_SIZE))) ** 2).mean(axis=0) + 1e-12)
    heard = np.flatnonzero(power_db > power_db.max() - RANGE_DB) * SAMPLE_RATE / FFT_SIZE
    return float(heard[0]), float(heard[-1])
