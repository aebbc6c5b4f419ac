"""Loudness of a clip: average level in dBFS, its course over time, and silent gaps."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats
from services.captioners.sounds.activity import FRAME_S, SILENCE_DB, detect_activity, measure_levels_db
from services.captioners.sounds.changes import find_changes
from services.captioners.sounds.course import Course, find_level_course
from services.captioners.statement import UNDATED, make_labels
from services.types import AudioClip, Evidence

SOURCE = "level-meter"
GAP_S = 0.25  # shortest silence inside the sound that is stated
FRAMES_PER_S = round(1 / FRAME_S)
LOUD = 75  # percentile of the level, compared on either side of a step
MIN_STEP_DB = 4.0
EDGE_FRAMES = 5  # on either side of a step, left out of the comparison
MAX_STEADY_DEVIATION_DB = 2.5  # standard deviation of a steady level


def describe_loudness(clip: AudioClip, *, has_gaps: bool = True) -> tuple[Evidence, ...]:
    """Describe level, course and gaps; of a silent clip, state the silence alone.

    Args:
        clip: the whole clip.
        has_gaps: whether silences inside the clip count as interruptions; those between words or sounds do not.
    """
    levels = measure_levels_db(clip.samples)
    if float(levels.max()) < SILENCE_DB:
        return (_make_evidence("Silence: {}.", ("no sound above -60 dBFS",), clip),)
    mean_db = float(10 * np.log10(np.mean(10 ** (levels / 10))))
    level = f"{_name_level(mean_db)} ({mean_db:.0f} dBFS on average)"
    return (
        _make_evidence("Level: {}.", (level,), clip),
        *_describe_course(levels, clip),
        *(_describe_gaps(clip) if has_gaps else ()),
    )


def _describe_course(levels: Floats, clip: AudioClip) -> tuple[Evidence, ...]:
    """State the course of the level from the first to the last sound, and the time of a sudden change."""
    heard = np.flatnonzero(levels >= SILENCE_DB)
    first, last = int(heard[0]), int(heard[-1]) + 1
    steps = _measure_steps(levels[first:last], first, clip.samples)
    steady = _find_steady_step(levels[first:last], first, steps)
    if steady:
        return (_make_evidence(f"Course of the level: {{}}, at {steady.time_s:.1f} s.", (steady.course,), clip),)
    found = find_level_course(levels[first:last])
    if found is None:
        return ()
    step = max((one for one in steps if one.course == found.course), key=lambda one: abs(one.by_db), default=None)
    when = f", at {step.time_s:.1f} s" if step else ""
    statement = _make_evidence(f"Course of the level: {{}}{when}.", (found.course,), clip)
    return (statement.model_copy(update={"confidence": round(found.probability, 2), "reliability": "model"}),)


class _LevelStep(NamedTuple):
    """A moment from which the rest of a clip is louder or quieter."""

    frame: int
    by_db: float

    @property
    def time_s(self) -> float:
        """Seconds."""
        return self.frame * FRAME_S

    @property
    def course(self) -> Course:
        """The course of a level with this step alone."""
        return "it suddenly becomes louder" if self.by_db > 0 else "it suddenly becomes quieter"


def _measure_steps(levels: Floats, first: int, samples: Floats) -> list[_LevelStep]:
    """Return the changes after which the clip is clearly louder or quieter than before.

    Args:
        levels: dBFS of the frames from the first to the last sound.
        first: index of the first of them.
        samples: the whole clip.
    """
    steps = []
    for change in find_changes(samples):
        frame = round(change.time_s / FRAME_S)
        before, after = levels[: max(0, frame - first)], levels[max(0, frame - first) :]
        if not len(before) or not len(after):
            continue
        step = _LevelStep(frame, float(np.percentile(after, LOUD) - np.percentile(before, LOUD)))
        steps += [step] if abs(step.by_db) >= MIN_STEP_DB else []
    return steps


def _find_steady_step(levels: Floats, first: int, steps: list[_LevelStep]) -> _LevelStep | None:
    """Return the only step of an otherwise steady level, which needs no classifier; None where it is not so."""
    if len(steps) != 1:
        return None
    (step,) = steps
    sides = levels[: step.frame - first - EDGE_FRAMES], levels[step.frame - first + EDGE_FRAMES :]
    is_steady = all(len(side) and float(side.std()) < MAX_STEADY_DEVIATION_DB for side in sides)
    return step if is_steady else None


def _make_evidence(
    text: str, found: tuple[str, ...], clip: AudioClip, start_s: float = 0.0, end_s: float | None = None
) -> Evidence:
    """Return a statement whose text has each `{}` replaced with what was found, which also become its labels."""
    end_s = clip.duration_s if end_s is None else end_s
    return Evidence(
        kind="loudness",
        source=SOURCE,
        revision=UNDATED,
        text=text.format(*found),
        labels=make_labels(found),
        start_s=round(start_s, 2),
        end_s=round(end_s, 2),
        confidence=1.0,
        reliability="measured",
    )


def _name_level(level_db: float) -> str:
    for least_db, word in ((-12.0, "very loud"), (-22.0, "loud"), (-32.0, "moderate"), (-44.0, "quiet")):
        if level_db >= least_db:
            return word
    return "very quiet"


def _describe_gaps(clip: AudioClip) -> tuple[Evidence, ...]:
    """State the silences that interrupt a sound."""
    spans = detect_activity(clip.samples)
    levels = measure_levels_db(clip.samples)
    gaps = [
        (before.end_s, after.start_s)
        for before, after in pairwise(spans)
        if after.start_s - before.end_s >= GAP_S and _is_abrupt(levels, before.end_s, after.start_s)
    ]
    if not 1 <= len(gaps) <= 3:
        return ()
    places = ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in gaps)
    text = "The sound stops abruptly and then resumes: {}."
    return (_make_evidence(text, (f"silent at {places}",), clip, gaps[0][0], gaps[-1][1]),)


def _is_abrupt(levels: Floats, start_s: float, end_s: float) -> bool:
    start, end = round(start_s * FRAMES_PER_S), round(end_s * FRAMES_PER_S)
    before, inside = (
        levels[max(0, start - 10) : start],
        levels[start + 2 : end - 2],
    )
    return bool(len(before) and len(inside) and before.mean() - inside.mean() > 30)
