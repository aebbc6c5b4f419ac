"""Synthetic speech, and defects of a recording made on it."""

import random
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray
from scipy.signal import butter, fftconvolve, sosfilt

from services.types import SAMPLE_RATE

VOICES = ("en-us", "en-gb", "en-us+f3", "en-gb+f2", "en-us+m3", "en-gb+m7")
WORDS = (
    "The train to the coast leaves at nine, and nobody has told the driver.",
    "She put the letter on the table and went out into the garden.",
    "We measured the river twice; the second time it was a little deeper.",
    "Please bring the heavy box upstairs before the guests arrive tonight.",
    "Most of the apples had fallen, so the children gathered them in baskets.",
    "An old engine was standing in the yard behind the wooden fence.",
)

Floats = NDArray[np.float32]


def speak(rng: random.Random) -> Floats:
    """Return one of the sentences spoken by eSpeak NG, at `SAMPLE_RATE`, in a room that is not quite silent."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "said.wav")
        command = ["espeak-ng", "-v", rng.choice(VOICES), "-s", str(rng.randint(130, 180)), "-w", str(target)]
        subprocess.run([*command, rng.choice(WORDS)], check=True)  # noqa: S603
        samples, rate = sf.read(target, dtype="float32")
    mono = soxr.resample(samples, rate, SAMPLE_RATE)
    noise = np.random.default_rng(rng.randrange(2**32)).standard_normal(len(mono))
    return np.asarray(0.6 * mono / np.abs(mono).max() + 0.0005 * noise, np.float32)


def _clip(samples: Floats, rng: random.Random) -> Floats:
    gained = np.clip(samples * rng.uniform(6, 14), -1, 1)
    return np.asarray(gained * rng.uniform(0.4, 1), np.float32)


def _muffle(samples: Floats, rng: random.Random) -> Floats:
    return np.asarray(
        sosfilt(butter(6, rng.uniform(700, 1500), "low", fs=SAMPLE_RATE, output="sos"), samples), np.float32
    )


def _telephone(samples: Floats, rng: random.Random) -> Floats:
    band = [rng.uniform(280, 400), rng.uniform(3000, 3500)]
    return np.asarray(sosfilt(butter(6, band, "band", fs=SAMPLE_RATE, output="sos"), samples), np.float32)


def _add_hiss(samples: Floats, rng: random.Random) -> Floats:
    noise = np.random.default_rng(rng.randrange(2**32)).standard_normal(len(samples))
    level = np.sqrt((samples**2).mean()) * 10 ** (-rng.uniform(3, 13) / 20)
    return np.asarray(samples + level * noise, np.float32)


def _add_room(samples: Floats, rng: random.Random) -> Floats:
    decay_s = rng.uniform(0.8, 2.0)
    length = int(decay_s * SAMPLE_RATE)
    noise = np.random.default_rng(rng.randrange(2**32)).standard_normal(length)
    tail = noise * np.exp(-6.9 * np.arange(length) / length)
    tail *= rng.uniform(0.6, 1.2) / np.sqrt((tail**2).sum())
    tail[0] = 1.0
    return np.asarray(fftconvolve(samples, tail)[: len(samples)], np.float32)


def _drop_out(samples: Floats, rng: random.Random) -> Floats:
    holed = samples.copy()
    for _ in range(rng.randint(5, 10)):
        start = rng.randrange(len(samples) - 4_000)
        holed[start : start + rng.randint(400, 2_400)] = 0
    return holed


DEFECTS: Mapping[str, Callable[[Floats, random.Random], Floats]] = {
    "no audible defects": lambda samples, rng: samples,  # noqa: ARG005 - the clean recording
    "clipping": _clip,
    "muffled": _muffle,
    "telephone": _telephone,
    "hiss": _add_hiss,
    "reverberation": _add_room,
    "dropouts": _drop_out,
}
"""Word by which the statement names the defect -> what makes it."""
