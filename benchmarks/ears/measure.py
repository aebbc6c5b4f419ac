"""How right the captioner's analyses are on inputs made here, and whether they know it.

    apt-get install fluidsynth musescore-general-soundfont-small espeak-ng
    python -m benchmarks.ears.measure /usr/share/sounds/sf3/MuseScore_General.sf3

Prints one row for each analysis: how many inputs, how often it says something, how often that is right, and the mean
of the confidence that it states. The soundfont is one that none of the classifiers of rhythm was fitted on.
"""

import argparse
import random
from collections.abc import Callable, Iterator, Mapping
from difflib import SequenceMatcher
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents.listening.comparison_tool import TUNE_PRECISION
from benchmarks.ears import defects, harmonies, repeats, textures, tunes
from benchmarks.ears.levels import impose_course
from benchmarks.ears.rhythms import COURSES, SPACINGS, compose_rhythm, compose_spaced_strokes, compose_strokes
from benchmarks.ears.rhythms import Rhythm as ComposedRhythm
from benchmarks.ears.scores import render_scores
from services.captioners.details import MIN_PROBABILITY
from services.captioners.music import harmony, melody, texture
from services.captioners.music.cadence import analyse_progression
from services.captioners.music.caption import INTERVAL_PRECISION, MIN_KEY_LEAD, select_chords
from services.captioners.music.melody_line import track_melody
from services.captioners.music.pitches import BasicPitch
from services.captioners.rhythm.analyser import COURSES as TOLD_COURSES
from services.captioners.rhythm.analyser import Rhythm, RhythmAnalyser, weigh_tempi
from services.captioners.rhythm.onsets import describe_spacing, detect_strokes
from services.captioners.sounds import course
from services.captioners.sounds.activity import measure_levels_db
from services.captioners.sounds.quality import describe_quality
from services.measurement.parts import split_in_two
from services.measurement.tunes import TuneLikeness, compare_tunes
from services.types import AudioClip
from services.weights import store as weights

SAME_TEMPO = 0.04  # logarithm of the ratio of two tempi
COUNT_CONFIDENCE = 0.9  # as the statement says

Floats = NDArray[np.float32]


class Outcome(NamedTuple):
    """What an analysis made of one input; the confidence is None where it said nothing."""

    confidence: float | None
    is_right: bool


NOTHING = Outcome(None, is_right=False)
Measure = Callable[[Path, int], Iterator[Outcome]]


def measure_tempo(font: Path, number: int) -> Iterator[Outcome]:
    """Tempo of rhythms at 60 to 190 beats a minute."""
    for truth, found in _hear_rhythms(font, number):
        tempo = found.tempo
        yield Outcome(tempo.probability, abs(np.log(tempo.bpm / truth.bpm)) < SAME_TEMPO) if tempo else NOTHING


def measure_tempo_options(font: Path, number: int) -> Iterator[Outcome]:
    """The same rhythms: which of four tempi it is, another one being half or double of it."""
    rng = random.Random("options")  # noqa: S311 - tempi, not secrets
    for truth, found in _hear_rhythms(font, number):
        others = (rng.choice((0.5, 2.0)), *rng.sample((0.6, 2 / 3, 0.75, 0.85, 1.18, 4 / 3, 1.5, 1.7), 2))
        right, *wrong = (f"About {round(truth.bpm * ratio)} beats per minute" for ratio in (1.0, *others))
        weighed = weigh_tempi(found.candidates, (right, *wrong))
        is_told = weighed and weighed[0].probability >= MIN_PROBABILITY
        yield Outcome(weighed[0].probability, weighed[0].text == right) if is_told else NOTHING


def measure_metre(font: Path, number: int) -> Iterator[Outcome]:
    """Metre of rhythms with 3 to 7 beats in a bar."""
    for truth, found in _hear_rhythms(font, number):
        metre = found.metre
        yield Outcome(metre.probability, metre.beats_per_bar == truth.beats_per_bar) if metre else NOTHING


def _hear_rhythms(font: Path, number: int) -> Iterator[tuple[ComposedRhythm, Rhythm]]:
    rng, analyse = random.Random("m1const"), RhythmAnalyser()  # noqa: S311 - music, not secrets
    composed = [compose_rhythm(rng) for _ in range(number)]
    for truth, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        yield truth, analyse(samples)


def measure_tempo_course(font: Path, number: int) -> Iterator[Outcome]:
    """Rhythms whose tempo is constant or changes to 1.25 to 2.1 times as much, at once or little by little."""
    rng, analyse = random.Random("m2change"), RhythmAnalyser()  # noqa: S311 - music, not secrets
    kinds = [index % len(COURSES) for index in range(number)]
    composed = [compose_rhythm(rng, course=COURSES[kind]) for kind in kinds]
    for kind, samples in zip(kinds, render_scores(font, [one.score for one in composed]), strict=True):
        found = analyse(samples).course
        yield Outcome(found.probability, _has_course(found.text, TOLD_COURSES[kind])) if found else NOTHING


def _has_course(told: str, truth: str) -> bool:
    """Say whether what is told is the truth, or says it more exactly: by how much, or that it doubles or halves."""
    more_exact = {"suddenly becomes faster": "double speed", "suddenly becomes slower": "half speed"}
    return told.startswith(truth) or (truth in more_exact and told.endswith(more_exact[truth]))


def measure_level_course(font: Path, number: int) -> Iterator[Outcome]:
    """Synthetic speech and rendered progressions under a gain of 7 to 26 dB."""
    rng = random.Random(7)  # noqa: S311 - gains, not secrets
    scores = [tunes.compose_key(rng, rng.choice(("major", "minor"))).score for _ in range(number // 2)]
    sounds = [*render_scores(font, scores), *(defects.speak(rng) for _ in range(number - len(scores)))]
    for index, samples in enumerate(sounds):
        truth = course.COURSES[index % len(course.COURSES)]
        found = course.find_level_course(measure_levels_db(impose_course(samples, truth, rng)))
        yield Outcome(found.probability, found.course == truth) if found else NOTHING


def measure_contour(font: Path, number: int) -> Iterator[Outcome]:
    """Solo lines of 5 to 13 notes on 30 instruments: up, down, up and down, down and up, zigzag, one pitch."""
    rng, transcribe = random.Random(3), open_transcriber()  # noqa: S311 - music, not secrets
    composed = [tunes.compose_contour(rng, tunes.CONTOURS[i % len(tunes.CONTOURS)]) for i in range(number)]
    for truth, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        line = melody.drop_ghost_notes(track_melody(samples, transcribe(samples)))
        told = melody.describe_contour([note.pitch for note in line]) if len(line) > 1 else None
        yield Outcome(melody.CONTOUR_PRECISION, truth.truth in told) if told else NOTHING


def measure_chord(font: Path, number: int) -> Iterator[Outcome]:
    """One chord of eleven qualities, held, repeated or broken, on instruments that play chords."""
    rng, transcribe = random.Random(4), open_transcriber()  # noqa: S311 - music, not secrets
    qualities = tuple(harmony.QUALITIES)
    composed = [tunes.compose_chord(rng, qualities[i % len(qualities)]) for i in range(number)]
    for truth, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        chords = harmony.recognise_chords(transcribe(samples))
        best = max(chords, key=lambda chord: chord.fit * (chord.end_s - chord.start_s), default=None)
        yield Outcome(best.confidence, best.quality == truth.truth) if best else NOTHING


def measure_key(font: Path, number: int) -> Iterator[Outcome]:
    """Progressions of five chords over a bass, some with a melody, in the 24 keys."""
    rng, transcribe = random.Random(5), open_transcriber()  # noqa: S311 - music, not secrets
    composed = [tunes.compose_key(rng, ("major", "minor")[i % 2]) for i in range(number)]
    for truth, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        key = harmony.estimate_key(transcribe(samples))
        yield Outcome(key.confidence, f"{key.tonic} {key.mode}" == truth.truth) if key else NOTHING


def measure_key_change(font: Path, number: int) -> Iterator[Outcome]:
    """Two progressions over a bass, the second in a key 1 to 6 semitones from the first or, each other time, in it."""
    rng, transcribe = random.Random("modulations"), open_transcriber()  # noqa: S311 - music, not secrets
    shifts = [rng.choice((-5, -4, -3, -2, -1, 1, 2, 3, 4, 5, 6)) if i % 2 else 0 for i in range(number)]
    composed = [harmonies.compose_modulation(rng, one, ("major", "minor")[i // 2 % 2]) for i, one in enumerate(shifts)]
    for one, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        change = harmony.find_key_change(transcribe(samples))
        told = f"{change.before.tonic} {change.after.tonic} {change.before.mode}" if change else ""
        yield Outcome(harmony.KEY_CHANGE_PRECISION, told == one.truth) if change else NOTHING


def measure_progression(font: Path, number: int) -> Iterator[Outcome]:
    """Every chord of four or five triads over a bass, in order."""
    for truth, chords, _ in _hear_cadences(font, number):
        sure = float(np.mean([chord.confidence for chord in chords])) if chords else 0.0
        yield Outcome(sure, [chord.name for chord in chords] == truth) if len(chords) > 1 else NOTHING


def measure_single_chords(font: Path, number: int) -> Iterator[Outcome]:
    """Each chord of four or five triads over a bass."""
    for truth, chords, _ in _hear_cadences(font, number):
        told = [chord.name for chord in chords]
        for step, start, end, told_start, told_end in SequenceMatcher(a=truth, b=told, autojunk=False).get_opcodes():
            sure = [chord.confidence for chord in chords[told_start:told_end]][: end - start]
            yield from (Outcome(confidence, step == "equal") for confidence in sure)
            yield from [NOTHING] * (end - start - len(sure))


def measure_cadence(font: Path, number: int) -> Iterator[Outcome]:
    """Authentic, plagal, half and deceptive cadences in major and minor."""
    for index, (_, chords, key) in enumerate(_hear_cadences(font, number)):
        truth = tuple(harmonies.CADENCES)[index % len(harmonies.CADENCES)]
        found = analyse_progression(chords, key) if key and key.lead > MIN_KEY_LEAD else None
        told = found.cadence if found else None
        yield Outcome(key.confidence, truth in told) if key and told else NOTHING


class HeardCadence(NamedTuple):
    """The names of the chords of a cadence, and what is heard of them."""

    names: list[str]
    chords: list[harmony.Chord]
    key: harmony.MusicalKey | None


def _hear_cadences(font: Path, number: int) -> Iterator[HeardCadence]:
    rng, transcribe = random.Random("ctest"), open_transcriber()  # noqa: S311 - music, not secrets
    kinds = tuple(harmonies.CADENCES)
    modes = [("major", "minor")[index // len(kinds) % 2] for index in range(number)]
    composed = [harmonies.compose_cadence(rng, kinds[i % len(kinds)], mode) for i, mode in enumerate(modes)]
    for one, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        pitches = transcribe(samples)
        yield HeardCadence(harmonies.name_triads(one), select_chords(pitches), harmony.estimate_key(pitches))


def measure_interval(font: Path, number: int) -> Iterator[Outcome]:
    """Two notes together, one to twelve semitones apart."""
    rng, transcribe = random.Random(9), open_transcriber()  # noqa: S311 - music, not secrets
    composed = [harmonies.compose_interval(rng, 1 + i % 12, is_harmonic=True) for i in range(number)]
    for one, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        pair = harmony.find_interval(transcribe(samples))
        yield Outcome(INTERVAL_PRECISION, str(pair[1] - pair[0]) == one.truth) if pair else NOTHING


def measure_texture(font: Path, number: int) -> Iterator[Outcome]:
    """One line, or two to four voices that stay, enter one after another or drop out; one in two of them fades out."""
    rng, transcribe = random.Random(11), open_transcriber()  # noqa: S311 - music, not secrets
    composed = [textures.compose_texture(rng, textures.COURSES[i % 4]) for i in range(number)]
    for index, samples in enumerate(render_scores(font, [one.score for one in composed])):
        is_faded = index // 4 % 2 == 1
        heard = samples * np.geomspace(1, 0.06, len(samples), dtype=np.float32) if is_faded else samples
        pitches = transcribe(heard)
        share = melody.measure_solo_share(melody.extract_melody(heard, pitches), pitches)
        found, truth = texture.analyse_texture(pitches, share), composed[index].truth
        if found is None or not texture.describe_texture(found):
            yield NOTHING
            continue
        has_course = found.course == (truth if truth in {"denser", "thinner"} else "constant")
        yield Outcome(texture.PRECISION, has_course and found.is_line in {None, truth == "solo"})


def measure_strokes(font: Path, number: int) -> Iterator[Outcome]:
    """One to nine strokes of one percussion instrument at uneven distances."""
    rng = random.Random(6)  # noqa: S311 - music, not secrets
    composed = [compose_strokes(rng) for _ in range(number)]
    for one, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        found = len(detect_strokes(samples))
        yield Outcome(COUNT_CONFIDENCE, found == one.number) if found else NOTHING


def measure_spacing(font: Path, number: int) -> Iterator[Outcome]:
    """Five to nine strokes at regular, shorter and shorter, longer and longer, or uneven intervals."""
    rng = random.Random(9)  # noqa: S311 - music, not secrets
    truths = [SPACINGS[index % len(SPACINGS)] for index in range(number)]
    scores = [compose_spaced_strokes(rng, truth) for truth in truths]
    for truth, samples in zip(truths, render_scores(font, scores), strict=True):
        found = describe_spacing([onset.time_s for onset in detect_strokes(samples)])
        yield Outcome(COUNT_CONFIDENCE, found == truth) if found else NOTHING


def measure_quality(font: Path, number: int) -> Iterator[Outcome]:  # noqa: ARG001 - speech needs no soundfont
    """Synthetic speech, clean or with one of six defects."""
    rng = random.Random(8)  # noqa: S311 - defects, not secrets
    kinds = tuple(defects.DEFECTS)
    for index in range(number):
        truth = kinds[index % len(kinds)]
        clip = AudioClip(defects.DEFECTS[truth](defects.speak(rng), rng))
        told = describe_quality(clip, is_speech=True)
        yield Outcome(told[0].confidence, truth in told[0].text) if told else NOTHING


def measure_repeats(font: Path, number: int) -> Iterator[Outcome]:
    """Solo lines that come again after a pause: the same, higher, lower, faster, slower, backwards, or another line."""
    rng, transcribe = random.Random(12), open_transcriber()  # noqa: S311 - music, not secrets
    composed = [repeats.compose_repeat(rng, repeats.CHANGES[i % len(repeats.CHANGES)]) for i in range(number)]
    for truth, samples in zip(composed, render_scores(font, [one.score for one in composed]), strict=True):
        parts = split_in_two(AudioClip(samples))
        if parts is None or not parts.are_apart:
            yield NOTHING
            continue
        first, second = (
            melody.extract_melody(part, transcribe(part))
            for part in (parts.first.cut(samples), parts.second.cut(samples))
        )
        yield Outcome(TUNE_PRECISION, _name_change(compare_tunes(first, second)) == truth.truth)


def _name_change(found: TuneLikeness | None) -> str:
    if found is None:
        return "another tune"
    if found.is_backwards:
        return "backwards"
    if found.semitones:
        return "higher" if found.semitones > 0 else "lower"
    return "unchanged" if 0.93 < found.speed < 1.07 else "faster" if found.speed > 1 else "slower"


def open_transcriber() -> BasicPitch:
    """Open the transcriber."""
    return BasicPitch(weights.ensure_folder("basic-pitch"))


MEASURES: Mapping[str, Measure] = {
    "tempo": measure_tempo,
    "tempo among options": measure_tempo_options,
    "metre": measure_metre,
    "tempo course": measure_tempo_course,
    "level course": measure_level_course,
    "melodic contour": measure_contour,
    "chord quality": measure_chord,
    "key": measure_key,
    "key change": measure_key_change,
    "single chords": measure_single_chords,
    "chords in order": measure_progression,
    "cadence": measure_cadence,
    "tune that comes again": measure_repeats,
    "interval": measure_interval,
    "texture": measure_texture,
    "number of strokes": measure_strokes,
    "intervals of strokes": measure_spacing,
    "recording quality": measure_quality,
}


def print_row(name: str, measure: Measure, outcomes: list[Outcome]) -> None:
    """Print one row of the table."""
    told = [outcome for outcome in outcomes if outcome.confidence is not None]
    right = np.mean([outcome.is_right for outcome in told]) if told else np.nan
    confidence = np.mean([outcome.confidence for outcome in told if outcome.confidence is not None])
    what = (measure.__doc__ or "").rstrip(".")
    shares = f"{len(told) / len(outcomes):.0%} | {right:.0%} | {confidence:.2f}"
    print(f"| {name} | {what} | {len(outcomes)} | {shares} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("font", type=Path)
    parser.add_argument("--number", type=int, default=70, help="inputs for each analysis")
    parser.add_argument("--only", choices=tuple(MEASURES), nargs="+", default=tuple(MEASURES))
    args = parser.parse_args()
    if not args.font.is_file():
        parser.error(f"no soundfont at {args.font}; Debian has some in /usr/share/sounds")
    print("| analysis | on what | n | says something | right when it does | stated |")
    print("|---|---|---|---|---|---|")
    for name in args.only:
        print_row(name, MEASURES[name], list(MEASURES[name](args.font, args.number)))


if __name__ == "__main__":
    main()
