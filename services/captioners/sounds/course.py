"""Course of the level, such as a fade or a crescendo: a small classifier over the levels of equal parts of a clip.

The rise and fall of speech or music masks a fade in the mean level, but not in the loud and quiet percentiles together.
Fitted by `benchmarks/ears/fit.py` on recordings and renderings with imposed gains.
"""

from functools import cache
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from scipy.stats import spearmanr

from services.captioners.frames import Floats
from services.captioners.head import ClassifierHead
from services.captioners.sounds.activity import FRAME_S

HEAD = "level_course.safetensors"

Course: TypeAlias = Literal[
    "it stays at about the same level",
    "it gets gradually louder",
    "it gets gradually quieter",
    "it suddenly becomes louder",
    "it suddenly becomes quieter",
    "it swells and then fades",
    "it gets quieter and then louder again",
]
COURSES: tuple[Course, ...] = get_args(Course)
"""In the order of the classifier's outputs."""
NUM_PARTS = 12
RANGE_DB = 50.0  # below the loudest frame, at which levels are floored
SHORTEST_S = 1.2  # a shorter clip has no course
MIN_PROBABILITY = 0.5  # of a course that is stated
LEAST_RANK = 0.7  # rank correlation of level and time, from which there is a trend
LEAST_TREND_DB = 8.0  # by which its last parts differ from the first ones
TREND_PARTS = 3
TREND_PRECISION = 0.7


class LevelCourse(NamedTuple):
    """The course of a level, and its probability."""

    course: Course
    probability: float


def find_level_course(levels: Floats) -> LevelCourse | None:
    """Classify the course of levels in dBFS of each 10 ms, shape (num_frames,); None where the classifier is unsure."""
    if len(levels) * FRAME_S < SHORTEST_S:
        return None
    probabilities = np.exp(_open_head()(extract_course_features(levels)[None])[0])
    best = int(probabilities.argmax())
    found = LevelCourse(COURSES[best], float(probabilities[best]))
    return found if found.probability >= MIN_PROBABILITY else _find_trend(levels)


def _find_trend(levels: Floats) -> LevelCourse | None:
    """Return the course of a level that falls or rises nearly all the time; None of any other."""
    parts = [float(part.mean()) for part in np.array_split(np.maximum(levels, levels.max() - RANGE_DB), NUM_PARTS)]
    rank = float(spearmanr(range(NUM_PARTS), parts).statistic)
    change_db = float(np.mean(parts[-TREND_PARTS:]) - np.mean(parts[:TREND_PARTS]))
    if abs(rank) < LEAST_RANK or abs(change_db) < LEAST_TREND_DB or rank * change_db < 0:
        return None
    return LevelCourse("it gets gradually louder" if rank > 0 else "it gets gradually quieter", TREND_PRECISION)


@cache
def _open_head() -> ClassifierHead:
    return ClassifierHead(__package__, HEAD)


def extract_course_features(levels: Floats) -> Floats:
    """Return the features of the classifier from levels in dBFS of each 10 ms, shape (num_features,).

    They are the loud, mean and quiet level of each part relative to the clip, and their projections on courses of gain.
    """
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
    """Return typical courses of gain, ramps, steps and hills, as unit vectors; shape (num_templates, NUM_PARTS)."""
    place = np.linspace(0, 1, NUM_PARTS)
    found = [np.clip((place - start) / (end - start), 0, 1) for start, end in ((0, 1), (0, 0.6), (0.4, 1), (0.2, 0.8))]
    found += [(np.arange(NUM_PARTS) >= cut).astype(float) for cut in range(2, NUM_PARTS - 1)]
    found += [np.minimum(place / middle, (1 - place) / (1 - middle)) for middle in (0.35, 0.5, 0.65)]
    centred = [row - row.mean() for row in found]
    return np.stack([row / np.linalg.norm(row) for row in centred]).astype(np.float32)


_TEMPLATES = _make_templates()
