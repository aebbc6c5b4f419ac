"""Effects: what a recording, a room or a loudspeaker does to a sound."""

from collections.abc import Callable, Mapping

import numpy as np
import soxr
from scipy import signal

from lalm.distill.facts import Wordings
from lalm.synthesise.draft import Draw, Floats, scale_to_peak
from lalm.synthesise.sounds.waves import filter_band, list_times, make_decay, make_noise
from services.types import SAMPLE_RATE

SPEED_OF_SOUND = 343.0  # m/s


def add_hiss(draw: Draw, samples: Floats) -> Floats:
    """Add white noise, 6 to 12 dB below the sound."""
    level = _measure_rms(samples) * 10 ** (-draw.rng.uniform(6, 12) / 20)
    return samples + np.float32(level) * make_noise(draw, len(samples) / SAMPLE_RATE)[: len(samples)]


def add_hum(draw: Draw, samples: Floats) -> Floats:
    """Add the hum of the mains."""
    now = np.arange(len(samples)) / SAMPLE_RATE
    pitch = draw.rng.choice((100, 120))
    hum = sum(np.sin(2 * np.pi * pitch * harmonic * now) / harmonic for harmonic in (1, 2, 3, 5))
    return np.asarray(samples + hum * 1.2 * _measure_rms(samples), np.float32)


def narrow_to_telephone(draw: Draw, samples: Floats) -> Floats:
    """Leave what a telephone line does: 300 to 3,400 Hz."""
    return filter_band(filter_band(samples, 300, 3400, order=4), 300, draw.rng.choice((3000, 3400)), order=4)


def muffle(draw: Draw, samples: Floats) -> Floats:
    """Take the high frequencies away."""
    return filter_band(samples, None, draw.rng.uniform(450, 800), order=4)


def thin_out(draw: Draw, samples: Floats) -> Floats:
    """Take the low frequencies away."""
    return filter_band(samples, draw.rng.uniform(1500, 2200), None, order=4)


def clip_hard(draw: Draw, samples: Floats) -> Floats:
    """Cut the peaks off, as an overdriven amplifier does."""
    level = np.float32(np.quantile(np.abs(samples), draw.rng.uniform(0.6, 0.75)) + 1e-6)
    return np.clip(samples, -level, level)


def drop_out(draw: Draw, samples: Floats) -> Floats:
    """Leave short gaps in the signal."""
    gaps = samples.copy()
    for _ in range(max(3, round(len(samples) / SAMPLE_RATE * 2.5))):
        start = draw.rng.randrange(max(1, len(samples)))
        gaps[start : start + round(draw.rng.uniform(0.04, 0.12) * SAMPLE_RATE)] = 0
    return gaps


def add_clicks(draw: Draw, samples: Floats) -> Floats:
    """Add the clicks of an old record."""
    clicks = np.zeros_like(samples)
    for _ in range(max(4, round(len(samples) / SAMPLE_RATE * 12))):
        clicks[draw.rng.randrange(max(1, len(samples)))] = draw.rng.choice((-1, 1))
    peak = np.float32(np.abs(samples).max(initial=0))
    return samples + 1.5 * peak * filter_band(clicks, 800, None)


def crush(draw: Draw, samples: Floats) -> Floats:
    """Leave a few bits a sample."""
    steps = np.float32(2 ** draw.rng.choice((3, 4)))
    loud = scale_to_peak(samples, 0)
    return np.asarray(np.round(loud * steps) / steps, np.float32)


def reverberate(draw: Draw, samples: Floats, *, seconds: float | None = None) -> Floats:
    """Place the sound in a hall: convolution with decaying noise (Moorer 1979, https://doi.org/10.2307/3680280)."""
    length_s = seconds or draw.rng.uniform(1.8, 3.0)
    tail = make_noise(draw, length_s) * make_decay(length_s, length_s / 8)
    wet = np.asarray(signal.fftconvolve(samples, tail), np.float32)
    wet = scale_to_peak(wet, -3)
    dry = np.concatenate([scale_to_peak(samples, -3), np.zeros(len(wet) - len(samples), np.float32)])
    return np.float32(0.35) * dry + wet


def echo(draw: Draw, samples: Floats) -> Floats:
    """Repeat the sound after a moment, softer each time."""
    late = round(draw.rng.uniform(0.3, 0.5) * SAMPLE_RATE)
    total = np.concatenate([samples, np.zeros(3 * late, np.float32)])
    for turn in (1, 2, 3):
        total[turn * late : turn * late + len(samples)] += samples * np.float32(0.55**turn)
    return total


def change_speed(samples: Floats, factor: float) -> Floats:
    """Play faster or slower, as a tape does: the pitch moves too."""
    return np.asarray(soxr.resample(samples, SAMPLE_RATE * factor, SAMPLE_RATE), np.float32)


def move_past(draw: Draw, samples: Floats, course: str) -> Floats:
    """Let the source approach, move away or pass by, with the Doppler effect and the air between."""
    now = list_times(len(samples) / SAMPLE_RATE)[: len(samples)]
    speed, nearest = draw.rng.uniform(12, 25), 6.0
    middle_s = {"approaching": now[-1], "leaving": 0.0, "passing": now[-1] / 2}[course]
    distance = np.sqrt(nearest**2 + (speed * (now - middle_s)) ** 2)
    heard = np.interp(now, now + distance / SPEED_OF_SOUND - distance[0] / SPEED_OF_SOUND, samples)
    far = filter_band(samples, None, 1200)
    share = np.clip(distance / 120, 0, 1)
    return np.asarray((heard * (1 - share) + far * share) * (nearest / distance), np.float32)


def _measure_rms(samples: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))) + 1e-9)


DEFECTS: Mapping[str, Callable[[Draw, Floats], Floats]] = {
    "hiss": add_hiss,
    "hum": add_hum,
    "telephone": narrow_to_telephone,
    "muffled": muffle,
    "thin": thin_out,
    "clipping": clip_hard,
    "dropouts": drop_out,
    "crackle": add_clicks,
    "crushed": crush,
    "reverb": reverberate,
    "echo": echo,
}
DEFECT_WORDS: Mapping[str, Wordings] = {
    "clean": ("No defect: it is clean", "Clear and undistorted"),
    "hiss": ("Loud background hiss", "White noise"),
    "hum": ("A low electric hum", "Mains hum"),
    "telephone": ("Telephone bandwidth", "It sounds like a telephone line"),
    "muffled": ("It is muffled: high frequencies are missing", "Muffled"),
    "thin": ("It is thin: low frequencies are missing", "Thin and tinny"),
    "clipping": ("Clipping distortion", "It is overdriven and distorted"),
    "dropouts": ("Short gaps in the signal", "Dropouts"),
    "crackle": ("Crackling clicks", "Clicks as on an old record"),
    "crushed": ("Coarse quantisation (few bits)", "Digital roughness of few bits"),
    "reverb": ("Strong reverberation", "It echoes as in a large hall"),
    "echo": ("A distinct echo", "Everything is repeated after a moment"),
}
ALIKE = ({"hiss", "crackle"}, {"telephone", "thin"}, {"clipping", "crushed"}, {"reverb", "echo"})
"""Defects that could be taken for one another, and so are not set side by side."""
