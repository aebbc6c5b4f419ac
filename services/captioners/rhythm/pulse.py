"""Beat tracking of clear strokes: tempo, how it changes, and metre (beats in a bar)."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from services.captioners.rhythm.onsets import FRAMES_PER_S, Onset
from services.captioners.sounds.yamnet import compute_log_mel

MIN_STROKES = 6
UNEVEN = 0.2  # median change of the logarithm of the gap between strokes, above which there is no pulse
FASTEST_BPM = 225.0  # a faster pulse subdivides the beat
SLOWEST_HALVED_BPM = 80.0
SUBDIVISION_DB = 2.0  # by which strokes between beats are quieter
UNEXPLAINED = 0.35  # share of the variance of the gaps left by a change of tempo; above it the rhythm is uneven
STEADY = 1.09  # ratio of the gaps at both ends below which the tempo is constant
LOW_BANDS = 6  # mel bands below 0.3 kHz
METRES = (3, 4, 5, 6, 7)
MIN_CONTRAST = 0.3  # share of the variance of the low strokes that the bar explains

Doubles: TypeAlias = NDArray[np.float64]
TempoChange: TypeAlias = Literal["none", "gradual", "sudden"]


class Stroke(NamedTuple):
    """One stroke of a pulse."""

    time_s: float
    level_db: float
    low: float
    """Loudness below 0.3 kHz, in nepers."""


class PulseCourse(NamedTuple):
    """How the tempo of a pulse develops."""

    change: TempoChange
    text: str
    """Continues the sentence "The tempo …"."""


class Pulse(NamedTuple):
    """A sequence of nearly evenly spaced strokes."""

    bpm: float
    """Median over the beats."""
    course: PulseCourse
    beats_per_bar: int | None
    contrast: float
    """Share of the variance of the low strokes that the bar explains, in [0, 1]."""


def find_pulse(samples: NDArray[np.float32], found: tuple[Onset, ...]) -> Pulse | None:
    """Track the pulse of strokes; None where they are too few or too uneven.

    Args:
        samples: 16 kHz, shape (num_samples,).
        found: their onsets.
    """
    if len(found) < MIN_STROKES:
        return None
    strokes = _measure_strokes(samples, found)
    gaps_s = np.diff([stroke.time_s for stroke in strokes])
    if np.median(np.abs(np.diff(np.log(gaps_s)))) > UNEVEN:
        return None
    course = describe_tempo_course(gaps_s)
    if course is None:
        return None
    if course.change != "none":
        return Pulse(60 / float(np.median(gaps_s)), course, None, 0.0)
    per_beat = _count_strokes_per_beat(strokes, gaps_s)
    bar, contrast = _find_bar(strokes, gaps_s, per_beat)
    return Pulse(60 / (_measure_period_s(strokes, gaps_s) * per_beat), course, bar, contrast)


CONSTANT = PulseCourse("none", "constant")
FASTER = PulseCourse("gradual", "gradually speeds up")
SLOWER = PulseCourse("gradual", "gradually slows down")


def describe_tempo_course(gaps_s: Doubles) -> PulseCourse | None:
    """Describe the course of the tempo from inter-onset intervals, shape (num_gaps,); None where they are uneven."""
    logs = np.log(gaps_s)
    third = max(2, len(logs) // 3)
    ratio = float(np.exp(np.median(logs[:third]) - np.median(logs[-third:])))
    if max(ratio, 1 / ratio) < STEADY:
        return CONSTANT
    place = np.arange(len(logs))
    line = np.polyval(np.polyfit(place, logs, 1), place)
    spread = float(((logs - np.median(logs)) ** 2).sum())
    step = min(
        (_fit_step(logs, cut) for cut in range(2, len(logs) - 1)), key=lambda fit: float(((logs - fit) ** 2).sum())
    )
    if min(((logs - step) ** 2).sum(), ((logs - line) ** 2).sum()) > UNEXPLAINED * spread:
        return None
    if ((logs - step) ** 2).sum() < 0.5 * ((logs - line) ** 2).sum():
        return PulseCourse("sudden", _describe_jump(float(np.exp(step[0] - step[-1]))))
    return FASTER if ratio > 1 else SLOWER


def _measure_period_s(strokes: list[Stroke], gaps_s: Doubles) -> float:
    slope, _ = np.polyfit(_find_positions(gaps_s), [stroke.time_s for stroke in strokes], 1)
    return float(slope)


def _fit_step(logs: Doubles, cut: int) -> Doubles:
    return np.where(np.arange(len(logs)) < cut, np.median(logs[:cut]), np.median(logs[cut:]))


def _describe_jump(ratio: float) -> str:
    way = "faster" if ratio > 1 else "slower"
    size = max(ratio, 1 / ratio)
    if 1.8 < size < 2.2:
        return f"suddenly switches to {'double' if ratio > 1 else 'half'} speed"
    return f"suddenly becomes {way} (by {100 * (size - 1):.0f} percent)"


def _measure_strokes(samples: NDArray[np.float32], found: tuple[Onset, ...]) -> list[Stroke]:
    levels = compute_log_mel(samples)
    low = np.log(np.exp(levels[:, :LOW_BANDS]).mean(axis=1))
    frames = [min(round(onset.time_s * FRAMES_PER_S), len(low) - 1) for onset in found]
    return [Stroke(o.time_s, o.level_db, float(low[f : f + 8].max())) for o, f in zip(found, frames, strict=True)]


def _count_strokes_per_beat(strokes: list[Stroke], gaps_s: Doubles) -> int:
    """Return the number of strokes per beat: strokes between beats are quieter, or too fast to be beats."""
    rate_bpm = 60 / float(np.median(gaps_s))
    places = _find_positions(gaps_s)
    levels = np.array([stroke.level_db for stroke in strokes])
    if rate_bpm > FASTEST_BPM and _measure_accent_db(levels, places, 3) > SUBDIVISION_DB:
        return 3
    quiet_between = rate_bpm > SLOWEST_HALVED_BPM and _measure_accent_db(levels, places, 2) > SUBDIVISION_DB
    parts = 2 if quiet_between else 1
    while rate_bpm / parts > FASTEST_BPM:
        parts *= 2
    return parts


def _find_positions(gaps_s: Doubles) -> NDArray[np.int64]:
    steps = np.maximum(1, np.round(gaps_s / np.median(gaps_s))).astype(np.int64)
    return np.concatenate([[0], np.cumsum(steps)])


def _measure_accent_db(levels: Doubles, places: NDArray[np.int64], period: int) -> float:
    """Return the accent of the loudest position in a period: its 15th percentile minus the 85th of all others."""
    means = [levels[places % period == place] for place in range(period)]
    if any(len(group) == 0 for group in means):
        return 0.0
    best = max(range(period), key=lambda place: float(np.median(means[place])))
    others = np.concatenate([group for place, group in enumerate(means) if place != best])
    return float(np.percentile(means[best], 15) - np.percentile(others, 85))


def _find_bar(strokes: list[Stroke], gaps_s: Doubles, per_beat: int) -> tuple[int | None, float]:
    """Return the beats per bar, by the recurrence of low strokes, and the share of variance that the bar explains."""
    places = _find_positions(gaps_s)
    levels = np.array([stroke.level_db for stroke in strokes])
    offset = max(range(per_beat), key=lambda place: float(np.median(levels[places % per_beat == place])))
    on_beat = places % per_beat == offset
    beats = (places[on_beat] - offset) // per_beat
    low = np.array([stroke.low for stroke, kept in zip(strokes, on_beat, strict=True) if kept])
    explained = {n: _explain_variance(low, beats, n) for n in (2, *METRES) if beats[-1] >= 2 * n - 1}
    if not explained or max(explained.values()) < MIN_CONTRAST:
        return None, 0.0
    best = max(explained.values())
    metre = next(n for n, share in explained.items() if share > best - 0.12)
    return (4 if metre == 2 else metre), explained[metre]


def _explain_variance(low: Doubles, beats: NDArray[np.int64], period: int) -> float:
    """Return the share of the variance that one accented position of each period explains."""
    total = float(((low - low.mean()) ** 2).sum())
    if total < 1e-6:
        return 0.0
    best = 0.0
    for place in range(period):
        first = beats % period == place
        if not first.any() or first.all() or low[first].mean() < low[~first].mean():
            continue
        within = ((low[first] - low[first].mean()) ** 2).sum() + ((low[~first] - low[~first].mean()) ** 2).sum()
        best = max(best, 1 - float(within) / total)
    return best
