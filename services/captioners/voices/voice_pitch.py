"""Pitch tracking (fundamental frequency) of a voice by YIN (de Cheveigné & Kawahara, JASA 2002)."""

import numpy as np

from services.captioners.frames import Floats, cut_frames
from services.types import SAMPLE_RATE

LOWEST_HZ, HIGHEST_HZ = 65.0, 500.0
FRAME_SAMPLES, FRAME_HOP = 1024, 160
MAX_APERIODICITY = 0.2  # of YIN's normalised difference; above it a frame is unvoiced
BATCH = 2048  # frames at a time: bounds the memory of a long clip


def track_pitch(samples: Floats) -> Floats:
    """Return the pitch in Hz of samples at 16 kHz every 10 ms, NaN where unvoiced; shape (num_frames,)."""
    if len(samples) < FRAME_SAMPLES:
        return np.full(1, np.nan, np.float32)
    frames = cut_frames(samples, FRAME_SAMPLES, FRAME_HOP)
    return np.concatenate([_estimate_pitch(frames[i : i + BATCH]) for i in range(0, len(frames), BATCH)])


def track_voiced_pitch(samples: Floats) -> Floats:
    """Return the pitch in Hz of the voiced frames alone, shape (num_voiced,)."""
    pitch_hz = track_pitch(samples)
    return pitch_hz[np.isfinite(pitch_hz)]


def _estimate_pitch(frames: Floats) -> Floats:
    shortest, longest = int(SAMPLE_RATE / HIGHEST_HZ), int(SAMPLE_RATE / LOWEST_HZ)
    difference = _compute_normalised_difference(frames, longest)
    inside = difference[:, shortest : longest + 1]
    is_dip = np.zeros_like(inside, bool)
    is_dip[:, 1:-1] = (
        (inside[:, 1:-1] <= inside[:, :-2]) & (inside[:, 1:-1] < inside[:, 2:]) & (inside[:, 1:-1] < MAX_APERIODICITY)
    )
    first = is_dip.argmax(axis=1)
    rows = np.arange(len(frames))
    before, at, after = (difference[rows, first + shortest + step] for step in (-1, 0, 1))
    curvature = before - 2 * at + after
    shift = np.where(np.abs(curvature) > 1e-9, 0.5 * (before - after) / np.where(curvature == 0, 1, curvature), 0)
    pitch_hz = SAMPLE_RATE / (first + shortest + np.clip(shift, -1, 1))
    is_loud = (frames.astype(np.float64) ** 2).mean(axis=1) > 1e-7
    return np.where(is_dip.any(axis=1) & is_loud, pitch_hz, np.nan).astype(np.float32)


def _compute_normalised_difference(frames: Floats, longest: int) -> Floats:
    """Return YIN's cumulative mean normalised difference for lags 0..longest + 1, shape (num_frames, longest + 2)."""
    size = FRAME_SAMPLES - longest - 2
    head = frames[:, :size]
    spectrum = np.fft.rfft(frames, 2 * FRAME_SAMPLES) * np.conj(np.fft.rfft(head, 2 * FRAME_SAMPLES))
    correlation = np.fft.irfft(spectrum)[:, : longest + 2]
    energy = np.concatenate([np.zeros((len(frames), 1)), np.cumsum(frames.astype(np.float64) ** 2, axis=1)], axis=1)
    lags = np.arange(longest + 2)
    shifted = energy[:, lags + size] - energy[:, lags]
    difference = np.maximum(energy[:, size : size + 1] + shifted - 2 * correlation, 0)
    mean = np.cumsum(difference[:, 1:], axis=1) / lags[1:]
    normal = np.ones_like(difference)
    normal[:, 1:] = difference[:, 1:] / np.maximum(mean, 1e-12)
    return np.asarray(normal, np.float32)
