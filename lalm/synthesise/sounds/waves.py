"""Building blocks of synthetic sound: tones, filtered noise, decaying modes, grains in time; all at 16 kHz."""

from collections.abc import Sequence

import numpy as np
from scipy import signal

from lalm.synthesise.draft import Draw, Floats
from services.types import SAMPLE_RATE

NYQUIST = SAMPLE_RATE / 2


def list_times(seconds: float) -> Floats:
    """Return the time of each sample in seconds, shape (num_samples,)."""
    return (np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE).astype(np.float32)


def make_tone(frequencies: Floats, *, harmonics: Sequence[float] = (1.0,)) -> Floats:
    """Make a tone from its frequency in Hz at each sample, shape (num_samples,); without harmonics above Nyquist."""
    phase = 2 * np.pi * np.cumsum(frequencies.astype(np.float64)) / SAMPLE_RATE
    total = np.zeros(len(frequencies))
    for number, level in enumerate(harmonics, start=1):
        total += np.where(number * frequencies < 0.95 * NYQUIST, level * np.sin(number * phase), 0)
    return total.astype(np.float32)


def make_steady_tone(frequency: float, seconds: float, *, harmonics: Sequence[float] = (1.0,)) -> Floats:
    """Make a tone of one frequency with soft edges."""
    return fade(make_tone(np.full(len(list_times(seconds)), frequency, np.float32), harmonics=harmonics), 0.008)


def make_noise(draw: Draw, seconds: float) -> Floats:
    """Make white noise."""
    return draw.noise.normal(0, 1, len(list_times(seconds))).astype(np.float32)


def filter_band(samples: Floats, low: float | None, high: float | None, *, order: int = 2) -> Floats:
    """Filter to a band of frequencies, Hz; None leaves a side open."""
    if low is not None:
        filters = signal.butter(order, low, "highpass", fs=SAMPLE_RATE, output="sos")
        samples = np.asarray(signal.sosfilt(filters, samples), np.float32)
    if high is not None:
        filters = signal.butter(order, min(high, 0.98 * NYQUIST), "lowpass", fs=SAMPLE_RATE, output="sos")
        samples = np.asarray(signal.sosfilt(filters, samples), np.float32)
    return samples


def fade(samples: Floats, seconds: float) -> Floats:
    """Fade both ends in and out."""
    length = min(round(seconds * SAMPLE_RATE), len(samples) // 2)
    if length == 0:
        return samples
    ramp = np.linspace(0, 1, length, dtype=np.float32)
    faded = samples.copy()
    faded[:length] *= ramp
    faded[-length:] *= ramp[::-1]
    return faded


def make_decay(seconds: float, half_life_s: float) -> Floats:
    """Make an envelope that halves every `half_life_s`."""
    return np.asarray(0.5 ** (list_times(seconds) / half_life_s), np.float32)


def strike_modes(frequencies: Sequence[float], half_lives_s: Sequence[float], seconds: float) -> Floats:
    """Make a struck body: tones that die away, each at its own pace (modal synthesis)."""
    now = list_times(seconds)
    total = np.zeros(len(now), np.float32)
    for number, (frequency, half_life_s) in enumerate(zip(frequencies, half_lives_s, strict=True)):
        if frequency < 0.95 * NYQUIST:
            total += np.sin(2 * np.pi * frequency * now) * 0.5 ** (now / half_life_s) / (1 + 0.4 * number)
    return total


def scatter(draw: Draw, grain: Floats, starts_s: Sequence[float], seconds: float, *, spread: float = 0.3) -> Floats:
    """Place copies of a grain in time, of varying strength."""
    total = np.zeros(len(list_times(seconds)), np.float32)
    for start_s in starts_s:
        start = round(start_s * SAMPLE_RATE)
        part = grain[: max(0, len(total) - start)]
        total[start : start + len(part)] += part * np.float32(draw.rng.uniform(1 - spread, 1))
    return total


def space_regularly(draw: Draw, step_s: float, seconds: float, *, jitter: float = 0.04) -> list[float]:
    """Return times one step apart, each a little early or late."""
    count = int(seconds / step_s)
    return [max(0.0, (turn + 0.1 + draw.rng.uniform(-jitter, jitter)) * step_s) for turn in range(count)]


def space_at_random(draw: Draw, rate: float, seconds: float) -> list[float]:
    """Return times of a Poisson process with `rate` events a second."""
    return sorted(draw.rng.uniform(0, seconds) for _ in range(max(1, round(rate * seconds))))
