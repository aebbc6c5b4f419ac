"""How the level of a clip develops: a small classifier over the levels of equal parts.

A fade of speech or music is hidden by the rise and fall of what sounds; the loud and the quiet levels of each part
together tell it. Fitted by `benchmarks/ears/fit.py` on recordings and renderings with imposed gains.
"""

from functools import cache
from typing import NamedTuple

import numpy as np

from services.captioners.head import ClassifierHead
from services.captioners.sounds.activity import FRAME_S, Floats

HEAD = "level_course.safetensors"

COURSES = (
    "it stays at about the same level",
    "it gets gradually louder",
    "it gets gradually quieter",
    "it suddenly becomes louder",
    "it suddenly becomes quieter",
    "it swells and then fades",
    "it gets quieter and then louder again",
)
NUM_PARTS = 12
RANGE_DB = 50.0  # below the loudest; what is quieter counts as that quiet
SHORTEST_S = 1.2  # a shorter clip has no course
LEAST_SURE = 0.5  # probability of what is told


class LevelCourse(NamedTuple):
    """How the level develops."""

    text: str
    """One of `COURSES`."""
    probability: float


def find_level_course(levels: Floats) -> LevelCourse | None:
    """Return how the levels in dBFS of each 10 ms develop; None where it cannot be told."""
    if len(levels) * FRAME_S < SHORTEST_S:
        return None
    probabilities = np.exp(_open_head()(extract_course_features(levels)[None])[0])
    best = int(probabilities.argmax())
    found = LevelCourse(COURSES[best], float(probabilities[best]))
    return found if found.probability >= LEAST_SURE else None


@cache
def _open_head() -> ClassifierHead:
    return ClassifierHead(__package__, HEAD)


def extract_course_features(levels: Floats) -> Floats:
    """Return the loud, mean and quiet level of each part against the clip's, and what courses of a gain explain."""
    levels = np.maximum(levels, levels.max() - RANGE_DB)
    parts = np.array_split(levels, NUM_PARTS)
    loud = np.array([np.percentile(part, 90) for part in parts])
    mean = np.array([10 * np.log10(np.mean(10 ** (part / 10))) for part in parts])
    quiet = np.array([np.percentile(part, 15) for part in parts])
    spread = float(np.mean([part.std() for part in parts]))
    rows = [row - row.mean() for row in (loud, mean, quiet)]
    explained = [_TEMPLATES @ row / (np.linalg.norm(row) + 1.0) for row in rows]
    return np.concatenate([*rows, *explained, [spread, np.log(len(levels))]]).astype(np.float32)


def _make_templates() -> Floats:
    """Return the courses that a gain may follow, shape (num_templates, NUM_PARTS): ramps, steps, hills."""
    place = np.linspace(0, 1, NUM_PARTS)
    found = [np.clip((place - start) / (end - start), 0, 1) for start, end in ((0, 1), (0, 0.6), (0.4, 1), (0.2, 0.8))]
    found += [(np.arange(NUM_PARTS) >= cut).astype(float) for cut in range(2, NUM_PARTS - 1)]
    found += [np.minimum(place / middle, (1 - place) / (1 - middle)) for middle in (0.35, 0.5, 0.65)]
    centred = [row - row.mean() for row in found]
    return np.stack([row / np.linalg.norm(row) for row in centred]).astype(np.float32)


_TEMPLATES = _make_templates()
