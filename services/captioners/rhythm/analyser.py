"""Rhythm analysis: tempo, metre and course of the tempo, each with its probability.

Three small classifiers, fitted on rhythms rendered with one soundfont and checked on others (docs/ears.md).
"""

import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from math import exp, log
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats
from services.captioners.head import ClassifierHead
from services.captioners.rhythm.beat import BeatCandidate, compute_onset_curves, find_beat_candidates
from services.captioners.rhythm.onsets import FRAMES_PER_S, detect_onsets
from services.captioners.rhythm.pulse import Pulse, TempoChange, find_pulse
from services.captioners.rhythm.tempo_course import extract_tempo_course_features
from services.sentences.meaning import WeighedOption

BEAT_HEAD, METRE_HEAD, COURSE_HEAD = "beat.safetensors", "metre.safetensors", "tempo_course.safetensors"
CONSTANT, NO_PULSE = "is constant", "has no pulse"
CHANGES: Mapping[str, TempoChange] = {
    CONSTANT: "none",
    "gradually speeds up": "gradual",
    "gradually slows down": "gradual",
    "suddenly becomes faster": "sudden",
    "suddenly becomes slower": "sudden",
}
COURSES = (*CHANGES, NO_PULSE)
"""Labels of the classifier of the tempo course."""
MIN_COURSE_S = 4.0  # shortest clip whose tempo has a course
PULSE_PRECISION = 0.5  # of the tempo of clear strokes where the classifiers are unsure
MIN_PROBABILITY = 0.5  # of a tempo, metre or course that is returned
MIN_CHANGE_PROBABILITY = 0.6  # of a change of tempo: more, as it replaces tempo and metre

SAME_TEMPO = 0.05  # standard deviation of the logarithm of the ratio of a tempo found to the tempo of an option
NOISE = 0.02  # added to the sum of the candidates' probabilities, which in noise is far lower
UNHEARD = 0.03  # additive smoothing: the share of a tempo that no candidate has
SLOWEST_ASKED_BPM, FASTEST_ASKED_BPM = 20.0, 400.0  # other numbers in an option are not tempi but, say, beats in a bar
NUMBER, WORD = re.compile(r"\d+(?:\.\d+)?"), re.compile(r"[^\W\d_]+")

FASTEST_TUNE_BPM = 160.0  # shorter notes of a tune are parts of a beat
MIN_GAPS = 5
OFF_GRID = 0.1  # largest mean deviation of the notes from a grid, in its units


class Tempo(NamedTuple):
    """An estimated tempo."""

    bpm: float
    probability: float


class Metre(NamedTuple):
    """An estimated metre."""

    beats_per_bar: int
    probability: float


class TempoCourse(NamedTuple):
    """The course of the tempo."""

    change: TempoChange
    text: str
    """Continues the sentence "The tempo …": one of `COURSES` but the last, or the exact text of a `PulseCourse`."""
    probability: float


class Rhythm(NamedTuple):
    """Tempo, metre and course of a rhythm; None where one cannot be determined."""

    tempo: Tempo | None
    metre: Metre | None
    course: TempoCourse | None
    candidates: tuple[Tempo, ...] = ()
    """Beat candidates, each with the probability that it is the beat."""

    @property
    def changes(self) -> bool:
        """Whether the tempo changes, so that no single tempo and metre hold."""
        return self.course is not None and self.course.change != "none"


class RhythmAnalyser:
    """Tempo, metre and course of the tempo by three classifiers."""

    def __init__(self) -> None:
        self._beat, self._metre, self._course = (
            ClassifierHead(__package__, file) for file in (BEAT_HEAD, METRE_HEAD, COURSE_HEAD)
        )

    def __call__(self, samples: Floats) -> Rhythm:
        """Analyse the rhythm of samples at 16 kHz, shape (num_samples,)."""
        curves = compute_onset_curves(samples)
        pulse = find_pulse(samples, detect_onsets(samples))
        course = self._find_course(curves, pulse)
        found = find_beat_candidates(curves, pulse)
        candidates = self._weigh_beats(found)
        if course and course.change != "none":
            return Rhythm(None, None, course, candidates)
        tempo, metre = self._find_beat(found, candidates) if found else (None, None)
        if tempo is None and pulse and pulse.course.change == "none":
            tempo = Tempo(pulse.bpm, PULSE_PRECISION)
        return Rhythm(tempo, metre, course, candidates)

    def _weigh_beats(self, found: tuple[BeatCandidate, ...]) -> tuple[Tempo, ...]:
        if not found:
            return ()
        is_beat = np.exp(self._beat(np.stack([one.features for one in found]))[:, 1])
        return tuple(Tempo(one.bpm, float(right)) for one, right in zip(found, is_beat, strict=True))

    def _find_beat(
        self, found: tuple[BeatCandidate, ...], candidates: tuple[Tempo, ...]
    ) -> tuple[Tempo | None, Metre | None]:
        best = max(range(len(candidates)), key=lambda number: candidates[number].probability)
        tempo = candidates[best]
        metres = np.exp(self._metre(found[best].features[None])[0])
        metre = Metre(int(self._metre.labels[int(metres.argmax())]), tempo.probability * float(metres.max()))
        return (
            tempo if tempo.probability >= MIN_PROBABILITY else None,
            metre if metre.probability >= MIN_PROBABILITY else None,
        )

    def _find_course(self, curves: Floats, pulse: Pulse | None) -> TempoCourse | None:
        if curves.shape[1] < MIN_COURSE_S * FRAMES_PER_S:
            return None
        probabilities = np.exp(self._course(extract_tempo_course_features(curves[4:])[None])[0])
        best = int(probabilities.argmax())
        label, probability = self._course.labels[best], float(probabilities[best])
        change = CHANGES.get(label)
        if change and probability >= (MIN_PROBABILITY if change == "none" else MIN_CHANGE_PROBABILITY):
            is_exact = pulse is not None and change == pulse.course.change == "sudden"
            return TempoCourse(change, pulse.course.text if pulse and is_exact else label, probability)
        return TempoCourse(*pulse.course, PULSE_PRECISION) if pulse and pulse.course.change != "none" else None


def weigh_tempi(candidates: Sequence[Tempo], options: Sequence[str]) -> tuple[WeighedOption, ...]:
    """Return the probability of each option that names a tempo, in BPM or by a term such as allegro, likeliest first.

    Args:
        candidates: tempi of a clip with their probabilities.
        options: of the question; where one of them names no tempo, the result is empty, as it is without candidates.
    """
    asked = [one for one in map(_read_tempo_range, options) if one]
    if not candidates or len(asked) < max(2, len(options)):
        return ()
    shares = [UNHEARD + one.measure_share(candidates) for one in asked]
    found = (WeighedOption(option, one / sum(shares), one) for option, one in zip(options, shares, strict=True))
    return tuple(sorted(found, key=lambda one: -one.probability))


class _TempoRange(NamedTuple):
    low_bpm: float
    high_bpm: float

    def measure_share(self, candidates: Sequence[Tempo]) -> float:
        """Return the share of the candidates' probability inside the range or near it; close to 0 in noise."""
        apart = (log(max(self.low_bpm / one.bpm, one.bpm / self.high_bpm, 1.0)) for one in candidates)
        near = (exp(-0.5 * (gap / SAME_TEMPO) ** 2) for gap in apart)
        heard = sum(one.probability * share for one, share in zip(candidates, near, strict=True))
        return heard / (NOISE + sum(one.probability for one in candidates))


def _read_tempo_range(option: str) -> _TempoRange | None:
    """Parse one or two numbers that may be BPM, or a term such as allegro; None for other text."""
    numbers = sorted(map(float, NUMBER.findall(option)))
    if not numbers:
        words = f" {' '.join(WORD.findall(option.lower()))} "
        named = [term for term in _read_terms() if f" {term} " in words]
        return _TempoRange(*_read_terms()[max(named, key=len)]) if named else None
    if len(numbers) not in {1, 2} or not SLOWEST_ASKED_BPM <= numbers[0] <= numbers[-1] <= FASTEST_ASKED_BPM:
        return None
    return _TempoRange(numbers[0], numbers[-1])


@cache
def _read_terms() -> Mapping[str, tuple[float, float]]:
    """Return tempo term -> lowest and highest BPM that it stands for."""
    text = files(__package__).joinpath("tempo_terms.json").read_text(encoding="utf-8")
    return {term: (low, high) for term, (low, high) in json.loads(text).items()}


def estimate_tempo_of_melody(starts_s: list[float]) -> Tempo | None:
    """Estimate the tempo of a melody by the grid of its note onsets, in seconds; None where they follow no grid."""
    gaps_s = np.diff(starts_s)
    if len(gaps_s) < MIN_GAPS:
        return None
    for unit_s in np.geomspace(1.3, 0.14, 300):
        counts = np.round(gaps_s / unit_s)
        if counts.min() >= 1 and np.abs(gaps_s / unit_s - counts).mean() < OFF_GRID:
            unit_bpm = 60 / float((gaps_s * counts).sum() / (counts**2).sum())
            bpm = next(unit_bpm / parts for parts in (1, 2, 4, 8) if unit_bpm / parts <= FASTEST_TUNE_BPM)
            return Tempo(bpm, 1 - float(np.abs(gaps_s / unit_s - counts).mean()) / OFF_GRID)
    return None
