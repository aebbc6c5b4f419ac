"""Courses of the level, imposed on samples: fades, jumps, swells and dips of known kind."""

import random

import numpy as np
from numpy.typing import NDArray

from services.captioners.sounds.course import COURSES
from services.types import SAMPLE_RATE

LEAST_DB, MOST_DB = 7.0, 26.0

Floats = NDArray[np.float32]


def impose_course(samples: Floats, course: str, rng: random.Random) -> Floats:
    """Return the samples with a gain that follows the course, and now and then a background that does not."""
    curve_db = draw_course(course, len(samples), len(samples) / SAMPLE_RATE, rng)
    loud = samples * 10 ** (curve_db / 20)
    if rng.random() < 0.3:
        noise = np.random.default_rng(rng.randrange(2**32)).standard_normal(len(samples))
        loud = loud + noise * np.abs(loud).max() * 10 ** (-rng.uniform(35, 60) / 20)
    return np.asarray(loud * 10 ** (-rng.uniform(0, 15) / 20), np.float32)


def draw_course(course: str, num_values: int, duration_s: float, rng: random.Random) -> NDArray[np.float64]:
    """Return a gain in dB that follows the course over `duration_s`, shape (num_values,), at most 0."""
    size_db = rng.uniform(LEAST_DB, MOST_DB)
    curve_db = _draw_shape(course, num_values, size_db, duration_s, rng)
    peaked: NDArray[np.float64] = curve_db - curve_db.max()
    return peaked


def _draw_shape(
    course: str, num_values: int, size_db: float, duration_s: float, rng: random.Random
) -> NDArray[np.float64]:
    place = np.linspace(0, 1, num_values)
    if course == COURSES[0]:
        return np.zeros(num_values)
    if "gradually" in course:
        start, end = rng.choice(((0.0, 1.0), (0.0, 1.0), (0.0, 0.7), (0.3, 1.0), (0.15, 0.85)))
        ramp = np.clip((place - start) / (end - start), 0, 1)
        if rng.random() < 0.5:  # straight in amplitude, as most faders are
            least = 10 ** (-size_db / 20)
            ramp = 1 + 20 * np.log10(least + (1 - least) * ramp) / size_db
        return size_db * (ramp if "louder" in course else ramp[::-1])
    if "suddenly" in course:
        width_s = rng.uniform(0.005, 0.1)
        steep = duration_s / width_s
        step = np.clip((place - rng.uniform(0.3, 0.7)) * steep + 0.5, 0, 1)
        return size_db * (step if "louder" in course else 1 - step)
    middle = rng.uniform(0.35, 0.65)
    hill = np.clip(np.minimum(place / middle, (1 - place) / (1 - middle)), 0, 1)
    return size_db * (hill if "swells" in course else 1 - hill)
