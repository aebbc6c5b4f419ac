"""Fit the small classifiers of rhythm and level that ship with the captioner.

    python -m benchmarks.ears.fit FluidR3_GM.sf2 TRAIN_FOLDER

The rhythm heads hear drum kits and accompaniments of `rhythms.py`, rendered with one soundfont, and ESC-10 and
LibriSpeech as what has no beat. The level head hears the level curves of recordings of TRAIN_FOLDER (`train.jsonl` and
the clips it names, those whose licence allows commercial use) with the gains of `levels.py` added. One part of the
examples is kept aside for the temperature. `measure.py` says how right the result is on what was not used here.
About 8 minutes of CPU.
"""

import argparse
import json
import random
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from benchmarks.ears.head_fit import Examples, FitSettings, fit_head, write_head
from benchmarks.ears.levels import draw_course
from benchmarks.ears.rhythms import COURSES as RENDERED_COURSES
from benchmarks.ears.rhythms import Rhythm, compose_rhythm
from benchmarks.ears.scores import render_scores
from services.captioners.rhythm import analyser
from services.captioners.rhythm.beat import BeatCandidate, compute_onset_curves, find_beat_candidates
from services.captioners.rhythm.onsets import detect_onsets
from services.captioners.rhythm.pulse import METRES, find_pulse
from services.captioners.rhythm.tempo_course import extract_tempo_course_features
from services.captioners.sounds import course
from services.captioners.sounds.activity import measure_levels_db
from services.types import SAMPLE_RATE

CAPTIONERS = Path(__file__).parents[2] / "services" / "captioners"
NUM_CONSTANT, NUM_CHANGING = 900, 500
SAME_TEMPO = 0.04  # logarithm of the ratio of two tempi
CALIBRATED = 5  # every fifth example is kept aside for the temperature
NUM_NEGATIVES = 160
NUM_GAINS = 6  # of each kind that are laid over one recording
MOST_OF_SOURCE = 110
NON_COMMERCIAL = "NC"
TICKING = "A clock ticking"
RHYTHM_DATA = "rhythms rendered with FluidR3 GM (MIT); ESC-10 (CC BY), LibriSpeech (CC BY 4.0)"
LEVEL_DATA = (
    "level curves of ESC-10 (CC BY), LibriSpeech (CC BY 4.0), Asterisk sounds, Wesnoth and Opsound music (CC BY-SA), "
    "Hydrogen, LMMS, Tux Paint (GPL), FreePats, Sonic Pi (CC0), FluidR3 GM (MIT)"
)
BEAT_FIT = FitSettings(hidden=48, epochs=25, decay=0.05, dropout=0.3, noise=0.2)
COURSE_FIT = FitSettings(hidden=48, epochs=40, decay=0.1, dropout=0.3, noise=0.3)
LEVEL_FIT = FitSettings(hidden=64, epochs=12, decay=0.02, dropout=0.1, noise=0.05)

Floats = NDArray[np.float32]


class Recording(NamedTuple):
    """A clip of the training folder."""

    source: str
    labels: tuple[str, ...]
    samples: Floats

    @property
    def is_beatless(self) -> bool:
        """Whether it is a real sound without a beat."""
        return self.source.startswith(("ESC-10", "LibriSpeech")) and TICKING not in self.labels


def read_recordings(folder: Path) -> list[Recording]:
    """Return the recordings of at least 2.5 s whose licence allows commercial use, at most so many of each source."""
    rows = [json.loads(line) for line in (folder / "train.jsonl").read_text().splitlines()]
    random.Random(5).shuffle(rows)  # noqa: S311 - a choice of recordings, not a secret
    found: list[Recording] = []
    for row in rows:
        source = row["sources"][0]
        is_free = NON_COMMERCIAL not in row["license"] and len(row["sources"]) == 1
        if is_free and row["duration"] >= 2.5 and sum(one.source == source for one in found) < MOST_OF_SOURCE:
            samples, rate = sf.read(folder / row["audio"], dtype="float32", always_2d=True)
            mono = samples.mean(axis=1)
            mono = soxr.resample(mono, rate, SAMPLE_RATE) if rate != SAMPLE_RATE else mono
            found.append(Recording(source, tuple(row.get("labels", ())), mono))
    return found


def find_candidates(samples: Floats) -> tuple[BeatCandidate, ...]:
    """Return the candidates as the analyser sees them."""
    return find_beat_candidates(compute_onset_curves(samples), find_pulse(samples, detect_onsets(samples)))


def is_beat(candidate: BeatCandidate, truth: Rhythm) -> bool:
    """Say whether the candidate has the tempo of the rhythm."""
    return bool(abs(np.log(candidate.bpm / truth.bpm)) < SAME_TEMPO)


def fit_beat_and_metre(font: Path, negatives: list[Floats]) -> None:
    """Fit which candidate is the beat, and how many beats make a bar."""
    rng = random.Random("f1const")  # noqa: S311 - music, not secrets
    composed = [compose_rhythm(rng) for _ in range(NUM_CONSTANT)]
    beats: list[tuple[Floats, int, int]] = []
    metres: list[tuple[Floats, int, int]] = []
    for number, samples in enumerate(render_scores(font, [one.score for one in composed])):
        found = find_candidates(samples)
        right = [candidate for candidate in found if is_beat(candidate, composed[number])]
        beats += [(candidate.features, int(is_beat(candidate, composed[number])), number) for candidate in found]
        metre = METRES.index(composed[number].beats_per_bar)
        metres += [(candidate.features, metre, number) for candidate in right[:1]]
    for number, samples in enumerate(negatives):
        beats += [(candidate.features, 0, number) for candidate in find_candidates(samples)]
    write_head(
        fit_head(*_split(beats), 2, BEAT_FIT),
        CAPTIONERS / "rhythm" / analyser.BEAT_HEAD,
        ("no beat", "beat"),
        RHYTHM_DATA,
    )
    labels = tuple(str(metre) for metre in METRES)
    target = CAPTIONERS / "rhythm" / analyser.METRE_HEAD
    write_head(fit_head(*_split(metres), len(METRES), BEAT_FIT), target, labels, RHYTHM_DATA)


def fit_tempo_course(font: Path, negatives: list[Floats]) -> None:
    """Fit how the tempo develops."""
    rng = random.Random("f2change")  # noqa: S311 - music, not secrets
    kinds = [number % len(RENDERED_COURSES) for number in range(NUM_CHANGING)]
    composed = [compose_rhythm(rng, course=RENDERED_COURSES[kind]) for kind in kinds]
    rows = [
        (extract_tempo_course_features(compute_onset_curves(samples)[4:]), kind, number // len(RENDERED_COURSES))
        for number, (samples, kind) in enumerate(
            zip(render_scores(font, [c.score for c in composed]), kinds, strict=True)
        )
    ]
    none = analyser.COURSES.index(analyser.NO_PULSE)
    rows += [
        (extract_tempo_course_features(compute_onset_curves(samples)[4:]), none, number)
        for number, samples in enumerate(negatives)
    ]
    target = CAPTIONERS / "rhythm" / analyser.COURSE_HEAD
    write_head(fit_head(*_split(rows), len(analyser.COURSES), COURSE_FIT), target, analyser.COURSES, RHYTHM_DATA)


def fit_level_course(recordings: list[Recording]) -> None:
    """Fit how the level develops."""
    rng = random.Random(1)  # noqa: S311 - gains, not secrets
    rows: list[tuple[Floats, int, int]] = []
    for number, recording in enumerate(recordings):
        levels = measure_levels_db(recording.samples)
        for kind in range(len(course.COURSES)):
            varied = [_vary_levels(levels, kind, rng) for _ in range(NUM_GAINS)]
            rows += [(course.extract_course_features(curve), kind, number) for curve in varied]
    target = CAPTIONERS / "sounds" / course.HEAD
    write_head(fit_head(*_split(rows), len(course.COURSES), LEVEL_FIT), target, course.COURSES, LEVEL_DATA)


def _vary_levels(levels: Floats, kind: int, rng: random.Random) -> Floats:
    """Return a part of the level curve with a gain, and now and then a background that the gain does not reach."""
    if rng.random() < 0.5 and len(levels) > 300:
        start = rng.randrange(0, len(levels) // 3)
        levels = levels[start : start + rng.randrange(max(150, len(levels) // 2), len(levels))]
    gained = levels + draw_course(course.COURSES[kind], len(levels), len(levels) / 100, rng)
    if rng.random() < 0.3:
        gained = 10 * np.log10(10 ** (gained / 10) + 10 ** ((gained.max() - rng.uniform(30, 55)) / 10))
    return np.asarray(gained, np.float32)


def _split(rows: list[tuple[Floats, int, int]]) -> tuple[Examples, Examples]:
    """Part the examples by the number of their clip into those to fit on and those for the temperature."""
    parts = ([row for row in rows if row[2] % CALIBRATED], [row for row in rows if not row[2] % CALIBRATED])
    fitted, kept = (Examples(np.stack([row[0] for row in p]), np.array([row[1] for row in p])) for p in parts)
    return fitted, kept


def main() -> None:
    """Fit and write every head."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("font", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", choices=("beat", "tempo", "level"))
    args = parser.parse_args()
    if not args.font.is_file():
        parser.error(f"no soundfont at {args.font}; Debian has some in /usr/share/sounds")
    recordings = read_recordings(args.folder)
    beatless = [one.samples for one in recordings if one.is_beatless][:NUM_NEGATIVES]
    if args.only in (None, "level"):
        fit_level_course(recordings)
    if args.only in (None, "beat"):
        fit_beat_and_metre(args.font, beatless)
    if args.only in (None, "tempo"):
        fit_tempo_course(args.font, [samples for samples in beatless if len(samples) >= 4 * SAMPLE_RATE])


if __name__ == "__main__":
    main()
