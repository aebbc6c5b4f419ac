"""Loudness of a clip: average level in dBFS, its course over time, and silent gaps."""

from itertools import pairwise

import numpy as np

from services.captioners.sounds.activity import SILENCE_DB, Floats, detect_activity, measure_levels_db
from services.captioners.sounds.course import find_level_course
from services.captioners.statement import UNDATED, make_labels
from services.types import AudioClip, Evidence

SOURCE = "level-meter"
GAP_S = 0.25  # a silence this long inside the sound is told


def describe_loudness(clip: AudioClip, *, tells_gaps: bool = True) -> tuple[Evidence, ...]:
    """Describe level, course and gaps; a silent clip is called silent and nothing else.

    Without `tells_gaps` the silences inside are left out: between words or different sounds they are no interruption.
    """
    levels = measure_levels_db(clip.samples)
    if float(levels.max()) < SILENCE_DB:
        return (_make_evidence("Silence: {}.", ("no sound above -60 dBFS",), clip),)
    mean_db = float(10 * np.log10(np.mean(10 ** (levels / 10))))
    level = f"{_name_level(mean_db)} ({mean_db:.0f} dBFS on average)"
    return (
        _make_evidence("Level: {}.", (level,), clip),
        *_describe_course(levels, clip),
        *(_describe_gaps(clip) if tells_gaps else ()),
    )


def _describe_course(levels: Floats, clip: AudioClip) -> tuple[Evidence, ...]:
    found = find_level_course(levels)
    if found is None:
        return ()
    told = _make_evidence("Course of the level: {}.", (found.text,), clip)
    return (told.model_copy(update={"confidence": round(found.probability, 2), "reliability": "model"}),)


def _make_evidence(
    text: str, found: tuple[str, ...], clip: AudioClip, start_s: float = 0.0, end_s: float | None = None
) -> Evidence:
    """Return a statement with what was found in place of each `{}` of its text."""
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
    """Tell the silences inside the sound, and a sound that is cut off."""
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
    before, inside = (
        levels[max(0, round(start_s * 100) - 10) : round(start_s * 100)],
        levels[round(start_s * 100) + 2 : round(end_s * 100) - 2],
    )
    return bool(len(before) and len(inside) and before.mean() - inside.mean() > 30)
