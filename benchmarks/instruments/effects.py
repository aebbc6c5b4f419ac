"""Data augmentation of rendered notes: reverberation, equalisation, band limits, noise, loudness."""

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from services.types import SAMPLE_RATE

Floats = NDArray[np.float32]


def augment(samples: Floats, rng: np.random.Generator) -> Floats:
    """Augment samples at random, as if they came from one of many recordings."""
    out = samples.astype(np.float64)
    if rng.random() < 0.35:
        out = _add_reverb(out, rng)
    if rng.random() < 0.45:
        out = _tilt_spectrum(out, rng)
    if rng.random() < 0.3:
        out = sosfilt(butter(4, rng.uniform(3000, 7500), "low", fs=SAMPLE_RATE, output="sos"), out)
    if rng.random() < 0.2:
        out = sosfilt(butter(2, rng.uniform(60, 250), "high", fs=SAMPLE_RATE, output="sos"), out)
    if rng.random() < 0.35:
        noise = np.cumsum(rng.standard_normal(len(out))) * 0.02 if rng.random() < 0.3 else rng.standard_normal(len(out))
        out = out + noise * np.sqrt((out**2).mean() / max((noise**2).mean(), 1e-12)) * 10 ** (-rng.uniform(15, 45) / 20)
    peak = np.abs(out).max()
    return np.asarray(out / max(peak, 1e-6) * 10 ** (-rng.uniform(0, 24) / 20), np.float32)


def _add_reverb(samples: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    length = int(rng.uniform(0.15, 1.2) * SAMPLE_RATE)
    tail = rng.standard_normal(length) * np.exp(-6.9 * np.arange(length) / length)
    tail *= rng.uniform(0.05, 0.5) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return fftconvolve(samples, tail)[: len(samples)]


def _tilt_spectrum(samples: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    spectrum = np.fft.rfft(samples)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE), 50) / 1000)
    bump = rng.uniform(-8, 8) * np.exp(-0.5 * ((octaves - rng.uniform(-3, 3)) / rng.uniform(0.4, 1.2)) ** 2)
    return np.fft.irfft(spectrum * 10 ** ((rng.uniform(-3, 3) * octaves + bump) / 20), len(samples))
