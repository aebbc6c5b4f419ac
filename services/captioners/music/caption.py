"""Music captioning: instruments, melody, chords, key, tempo and metre of a clip that is music."""

from itertools import groupby

import numpy as np
from scipy.special import expit

from services.captioners.music import harmony, melody, rhythm
from services.captioners.music.cadence import analyse_progression
from services.captioners.music.instrument import InstrumentHead
from services.captioners.music.melody_line import track_melody
from services.captioners.music.notes import NAMES, DetectedNote, name_interval, name_pitch, pitch_to_hz
from services.captioners.music.onsets import describe_spacing, detect_strokes, drop_spoken, stand_out
from services.captioners.music.pitches import BasicPitch, Pitches
from services.captioners.music.players import Players, describe_style
from services.captioners.music.rhythm import Rhythm, RhythmAnalyser
from services.captioners.music.style import StyleClassifier
from services.captioners.music.tunes import recognise_tune
from services.captioners.sounds.activity import ActiveSpans, Floats
from services.captioners.sounds.yamnet import ClassScores, YamNet
from services.captioners.statement import Statement, make_labels, make_statement
from services.types import AudioClip, Evidence

SPEECH = slice(0, 5)  # YAMNet classes
SUNG = slice(24, 32)
MUSICAL = slice(132, 277)
LEAST_MUSICAL = 0.15  # probability
PERCUSSION = 0.6  # probability that only percussion plays, above which nothing is said of pitch
LEAST_TONAL = 0.35  # mean strength of the notes of a melody
LEAST_COVER = 0.3  # share of the clip in which a melody sounds
LEAST_FIT = 0.6  # of a chord that is told
LEAST_CHORD_S = 0.4
INTERVAL_RIGHT = 0.9  # share of the intervals told that are right (docs/ears.md)
LEAST_KEY_LEAD = 0.1
MOST_SPEECH = 0.4  # probability
MOST_STROKES, MOST_TIMES = 40, 20
PERCUSSION_FALL_DB, MUSIC_FALL_DB, NOISE_FALL_DB, NOISE_STRENGTH = 5.0, 12.0, 18.0, 1.0
MAYBE_MUSICAL = 0.02  # probability from which strokes may be those of an instrument
MOST_NOTES, MOST_CHORDS = 32, 12


class MusicListener:
    """Describes the music of a clip; says nothing where the clip is not music."""

    def __init__(self, yamnet: YamNet, transcriber: BasicPitch, classify_style: StyleClassifier) -> None:
        self._yamnet = yamnet
        self._transcribe = transcriber
        self._classify_style = classify_style
        self._head = InstrumentHead()
        self._rhythm = RhythmAnalyser()

    def __call__(self, clip: AudioClip, speech: ActiveSpans = ()) -> tuple[Evidence, ...]:
        """Return statements of the kinds instrument, melody, harmony, rhythm, music and event.

        Of a clip that is neither music nor speech, only the strokes are counted: steps, knocks, barks. What begins
        within `speech` is not a stroke: syllables begin as suddenly as steps do.
        """
        scores = self._yamnet(clip.samples)
        told = (
            self._describe_music(clip, scores, speech)
            if estimate_musicality(scores) >= LEAST_MUSICAL
            else self._describe_noise(clip, scores, speech)
        )
        return tuple(statement.to_evidence(clip, source="music") for statement in told)

    def _describe_music(self, clip: AudioClip, scores: ClassScores, speech: ActiveSpans) -> list[Statement]:
        players = Players(self._head, clip.samples, scores)
        if players.percussive >= PERCUSSION:
            struck = _describe_strokes(clip, speech, fall_db=PERCUSSION_FALL_DB)
            return [*players.make_statements(), *describe_rhythm(self._rhythm(clip.samples)), *struck]
        pitches = self._transcribe(clip.samples)
        notes = _find_solo(clip, pitches)
        tune = _describe_melody(notes) if notes else []
        chords = _describe_harmony(pitches, notes)
        beat = _describe_tempo_of_melody(notes) if tune else describe_rhythm(self._rhythm(clip.samples))
        count = [] if tune or chords else _describe_strokes(clip, speech, fall_db=MUSIC_FALL_DB)
        styles = [] if tune else describe_style(self._classify_style(clip.samples, scores), clip.duration_s)
        return [*players.make_statements(), *tune, *chords, *beat, *styles, *count]

    def _describe_noise(self, clip: AudioClip, scores: ClassScores, speech: ActiveSpans) -> list[Statement]:
        if float(expit(scores.logits[:, 0]).mean()) > MOST_SPEECH:
            return []
        count = _describe_strokes(clip, speech, fall_db=NOISE_FALL_DB, strength=NOISE_STRENGTH)
        if not count or estimate_musicality(scores) < MAYBE_MUSICAL:
            return count
        players = Players(self._head, clip.samples, scores)
        return [*(players.make_statements() if players.percussive >= PERCUSSION else []), *count]


def estimate_musicality(scores: ClassScores) -> float:
    """Return the probability that the clip is music rather than speech or noise."""
    spoken = expit(scores.logits)[:, SPEECH].max(axis=1)
    return float(np.mean(_find_musical(scores) * (1 - spoken)))


def measure_music(scores: ClassScores) -> float:
    """Return the probability that something is played or sung for a quarter of the clip, though somebody may speak."""
    musical = np.sort(_find_musical(scores))
    return float(musical[-(len(musical) // 4 or 1) :].mean())


def _find_musical(scores: ClassScores) -> Floats:
    """Return the probability of the surest class of music or song, patch by patch."""
    probabilities = expit(scores.logits)
    found: Floats = np.maximum(probabilities[:, MUSICAL].max(axis=1), probabilities[:, SUNG].max(axis=1))
    return found


def _find_solo(clip: AudioClip, pitches: Pitches) -> tuple[DetectedNote, ...]:
    """Return the notes of a melody that is played alone; empty where there is none."""
    found = melody.drop_ghost_notes(track_melody(clip.samples, pitches))
    cover = sum(note.end_s - note.start_s for note in found) / clip.duration_s
    strength = float(np.mean([note.strength for note in found])) if found else 0.0
    is_solo = melody.measure_solo_share(found, pitches) >= melody.MIN_SOLO
    return found if is_solo and strength >= LEAST_TONAL and cover >= LEAST_COVER else ()


def _describe_melody(found: tuple[DetectedNote, ...]) -> list[Statement]:
    if len(found) > 1:
        return [_describe_tune(found)]
    note = f"{name_pitch(found[0].pitch)} ({pitch_to_hz(found[0].pitch):.0f} Hz)"
    return [make_statement("melody", "A single note is played: {}.", [note], 0.85)]


def _describe_tune(found: tuple[DetectedNote, ...]) -> Statement:
    pitches = [note.pitch for note in found]
    listed = " ".join(name_pitch(pitch) for pitch in pitches[:MOST_NOTES]) + (" …" if len(pitches) > MOST_NOTES else "")
    text = f"Melody: {len(found)} notes are played one after another; {melody.describe_contour(pitches)}."
    scale = melody.recognise_scale(pitches)
    tune = None if scale else recognise_tune(pitches)
    if scale:
        text += f" The notes run through {scale}."
    if tune:
        text += f" It is the tune of {tune}."
    if len(pitches) == 2:
        text += f" The interval is a {name_interval(pitches[1] - pitches[0])}."
    return Statement("melody", f"{text} Notes: {listed}.", 0.9, labels=make_labels([listed]))


def _describe_harmony(pitches: Pitches, tune: tuple[DetectedNote, ...]) -> list[Statement]:
    told = []
    in_order = find_told_chords(pitches)
    if len(in_order) == 1:
        chord = in_order[0]
        named = make_labels([f"{chord.quality} (the chord is {chord.name})"])
        text = f"Chord: {named[0]}, from {chord.start_s:.1f} to {chord.end_s:.1f} s."
        told.append(Statement("harmony", text, chord.confidence, labels=named))
    elif in_order:
        named = make_labels(chord.name for chord in in_order[:MOST_CHORDS])
        text = f"Chords in order: {', '.join(map(str, named))}{' …' if len(in_order) > MOST_CHORDS else ''}."
        fit = float(np.mean([chord.confidence for chord in in_order]))
        told.append(Statement("harmony", text, fit, labels=named))
    elif not tune and (pair := harmony.find_interval(pitches)):
        name = name_interval(pair[1] - pair[0])
        text = f"Two notes sound together, {name_pitch(pair[0])} and {name_pitch(pair[1])}; the interval is a {{}}."
        told.append(make_statement("harmony", text, [name], INTERVAL_RIGHT))
    return [*told, *_describe_key(pitches, tune, in_order)]


def find_told_chords(pitches: Pitches) -> list[harmony.Chord]:
    """Return the chords that are told, in order: those that fit and last; of one that is repeated, the first."""
    found = harmony.recognise_chords(pitches)
    lasting = [c for c in found if c.fit >= LEAST_FIT and c.end_s - c.start_s >= LEAST_CHORD_S]
    return [next(same) for _, same in groupby(lasting, key=lambda chord: chord.name)]


def _describe_key(pitches: Pitches, tune: tuple[DetectedNote, ...], chords: list[harmony.Chord]) -> list[Statement]:
    key = harmony.estimate_key_of_melody(tune) if tune else harmony.estimate_key(pitches)
    if not key or key.lead <= LEAST_KEY_LEAD:
        return []
    found = f"{key.mode} ({NAMES[key.tonic]} {key.mode})"
    told = [make_statement("harmony", "Key: {}.", [found], key.confidence)]
    progression = analyse_progression(chords, key) if len(chords) <= MOST_CHORDS else None
    if progression:
        labels = make_labels([progression.cadence] if progression.cadence else [])
        told.append(Statement("harmony", progression.describe(key), key.confidence, labels=labels))
    return told


def _describe_strokes(
    clip: AudioClip, speech: ActiveSpans, *, fall_db: float, strength: float = 0.0
) -> list[Statement]:
    found = drop_spoken(detect_strokes(clip.samples), speech)
    if len(found) > MOST_STROKES or not stand_out(clip.samples, found, fall_db=fall_db, strength=strength):
        return []
    listed = ", ".join(f"{onset.time_s:.1f}" for onset in found[:MOST_TIMES]) + (
        " …" if len(found) > MOST_TIMES else ""
    )
    counted = "1 separate stroke or hit is" if len(found) == 1 else f"{len(found)} separate strokes, hits or events are"
    spacing = describe_spacing([onset.time_s for onset in found])
    ending = f", at {spacing} intervals" if spacing else ""
    return [Statement("event", f"{counted} heard, at {listed} s{ending}.", 0.9)]


def _describe_tempo_of_melody(notes: tuple[DetectedNote, ...]) -> list[Statement]:
    tempo = rhythm.estimate_tempo_of_melody([note.start_s for note in notes])
    return [_describe_tempo(tempo.bpm, 0.6, is_constant=True)] if tempo else []


def describe_rhythm(found: Rhythm) -> list[Statement]:
    """Return tempo and metre, or how the tempo changes; nothing of what cannot be told."""
    if found.course and found.changes:
        what = f"the tempo {found.course.text}"
        return [make_statement("rhythm", "Tempo change: {}.", [what], found.course.probability, "model")]
    told = []
    if found.tempo:
        told.append(_describe_tempo(found.tempo.bpm, found.tempo.probability, is_constant=found.course is not None))
    if found.metre:
        number = found.metre.beats_per_bar
        text = "Metre: {} beats in each bar."
        told.append(make_statement("rhythm", text, [number], found.metre.probability, "model"))
    return told


def _describe_tempo(bpm: float, confidence: float, *, is_constant: bool) -> Statement:
    named = [_name_tempo(bpm), *(["constant"] if is_constant else [])]
    return make_statement("rhythm", f"Tempo: about {', '.join('{}' for _ in named)}.", named, confidence, "model")


def _name_tempo(bpm: float) -> str:
    return f"{bpm:.0f} beats per minute ({_name_pace(bpm)})"


def _name_pace(bpm: float) -> str:
    return "slow" if bpm < 76 else "moderate" if bpm < 110 else "fast" if bpm < 150 else "very fast"
