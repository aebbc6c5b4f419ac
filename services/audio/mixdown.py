"""Downmix to mono: the average of the channels, except where averaging would lose what is there.

Two cases are recognised by measuring frames of 50 ms. Channels in opposite phase cancel each other: they are summed
with their signs aligned, or the loudest is taken where that does not help. A channel of steady noise that would bury
the others is left out. Everything else, which is nearly everything, is averaged.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

FRAMES_PER_S = 20
MEASURED_HZ = 8_000  # averages a second that are measured: lossy codecs keep the phase of low frequencies only
CANCELLED = 0.25  # power of the average against that of uncorrelated channels: 6 dB less
CANCELLED_SHARE = 0.1  # of the power, in frames that are cancelled
SILENT = 1e-12  # power, relative to full scale
STEADY_DB, LIVELY_DB = 6.0, 15.0  # range of the level (5th to 95th percentile) of noise, and of anything that happens
BURIED_DB = -20.0  # noise so far below the rest, or further, does no harm
NOISE_FLATNESS_DB = -25.0  # geometric against arithmetic mean of the spectrum; a tone or hum is less flat
FFT_SIZE = 1024


class Mix(NamedTuple):
    """How channels become one."""

    weights: NDArray[np.float32]
    """Shape (num_channels,)."""
    is_aligned: bool = False
    """Whether channels cancelled each other."""
    num_left_out: int = 0
    """Channels of nothing but noise."""


class ChannelMeter:
    """Measures channels block by block, in bounded memory: C + 1 numbers for every 50 ms."""

    def __init__(self, num_channels: int) -> None:
        self.num_channels = num_channels
        self._covariance = np.zeros((num_channels, num_channels))
        self._spectrum = np.zeros((num_channels, FFT_SIZE // 2 + 1))
        self._powers: list[NDArray[np.float32]] = []
        self._average_powers: list[NDArray[np.float32]] = []

    def add(self, samples: NDArray[np.float32], rate: int) -> None:
        """Measure samples, shape (num_frames, num_channels)."""
        step = max(rate // MEASURED_HZ, 1)
        whole = np.ascontiguousarray(samples[: len(samples) // step * step]).reshape(-1, step * self.num_channels)
        averaging = np.tile(np.eye(self.num_channels, dtype=np.float32) / np.float32(step), (step, 1))
        some = np.ascontiguousarray((whole @ averaging).T)
        self._covariance += some @ some.T
        size = rate // step // FRAMES_PER_S
        framed = some[:, : some.shape[1] // size * size].reshape(self.num_channels, -1, size)
        if framed.size:
            self._powers.append(np.einsum("cfs,cfs->fc", framed, framed) / size)
            average = framed.mean(axis=0)
            self._average_powers.append(np.einsum("fs,fs->f", average, average) / size)
        if len(samples) >= FFT_SIZE:
            self._spectrum += np.abs(np.fft.rfft(samples[:FFT_SIZE] * _WINDOW, axis=0)).T ** 2

    def choose(self) -> Mix | None:
        """Return how to mix; None: the average."""
        if not self._powers:
            return None
        powers = np.concatenate(self._powers).astype(np.float64)
        return self._align(powers) or self._leave_noise_out(powers)

    def _align(self, powers: Floats) -> Mix | None:
        average = np.concatenate(self._average_powers).astype(np.float64)
        total = powers.sum(axis=1)
        is_cancelled = average * self.num_channels**2 < CANCELLED * total
        if total[is_cancelled].sum() <= CANCELLED_SHARE * total.sum() or total.sum() < SILENT:
            return None
        loudest = int(np.argmax(np.diag(self._covariance)))
        signs = np.where(self._covariance[loudest] < 0, -1.0, 1.0)
        is_opposed = signs.sum() < self.num_channels and _measure_ratio(self._covariance, signs) > 1
        if is_opposed:
            return Mix((signs / self.num_channels).astype(np.float32), is_aligned=True)
        return Mix(np.eye(self.num_channels, dtype=np.float32)[loudest], is_aligned=True)

    def _leave_noise_out(self, powers: Floats) -> Mix | None:
        levels_db = 10 * np.log10(powers + SILENT)
        low, high = np.percentile(levels_db, [5, 95], axis=0)
        flatness_db = 10 * (
            np.log10(self._spectrum + 1e-20).mean(axis=1) - np.log10(self._spectrum.mean(axis=1) + 1e-20)
        )
        is_live = high - low > LIVELY_DB
        if not is_live.any():
            return None
        is_heard = high > high[is_live].max() + BURIED_DB
        is_noise = (high - low < STEADY_DB) & (flatness_db > NOISE_FLATNESS_DB) & is_heard
        if not is_noise.any():
            return None
        kept = ~is_noise
        return Mix((kept / kept.sum()).astype(np.float32), num_left_out=int(is_noise.sum()))


def _measure_ratio(covariance: Floats, weights: Floats) -> float:
    """Return the power of a weighted sum against that of uncorrelated channels."""
    return float(weights @ covariance @ weights / np.trace(covariance))


_WINDOW = np.hanning(FFT_SIZE).astype(np.float32)[:, None]
