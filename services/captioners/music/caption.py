"""Music captioning: instruments, melody, chords, key, tempo and metre of a clip that is music."""

from itertools import groupby

import numpy as np
from scipy.special import expit

from services.captioners.frames import Floats
from services.captioners.music import harmony, melody
from services.captioners.music.cadence import analyse_progression
from services.captioners.music.instrument import InstrumentHead
from services.captioners.music.notes import NAMES, DetectedNote, name_interval, name_pitch, pitch_to_hz
from services.captioners.music.pitches import BasicPitch, Pitches
from services.captioners.music.players import Players, describe_style
from services.captioners.music.style import StyleClassifier
from services.captioners.music.texture import analyse_texture, describe_texture
from services.captioners.music.tunes import recognise_tune
from services.captioners.rhythm.analyser import Rhythm, RhythmAnalyser, estimate_tempo_of_melody
from services.captioners.rhythm.note_rate import describe_note_rate
from services.captioners.rhythm.onsets import are_distinct, describe_spacing, detect_strokes, drop_spoken
from services.captioners.sounds.activity import ActiveSpans
from services.captioners.sounds.yamnet import ClassScores, YamNet
from services.captioners.statement import Statement, make_labels, make_statement
from services.types import AudioClip, Evidence

SPEECH = slice(0, 5)  # YAMNet classes
SUNG = slice(24, 32)
MUSICAL = slice(132, 277)
MIN_MUSICALITY = 0.15  # probability
MIN_PERCUSSION = 0.6  # probability that only percussion plays, above which pitch is not analysed
TIME_SIGNATURES = {3: "3/4", 4: "4/4", 5: "5/4", 6: "6/8", 7: "7/8"}  # by beats in a bar, as they are mostly written
MIN_STRENGTH = 0.35  # mean strength of the notes of a melody
MIN_COVER = 0.3  # share of the clip in which a melody sounds
MIN_FIT = 0.6  # of a chord that is stated
MIN_CHORD_S = 0.4
INTERVAL_PRECISION = 0.9  # share of the stated intervals that are right (docs/ears.md)
MIN_KEY_LEAD = 0.1
MAX_SPEECH = 0.4  # probability
MAX_STROKES, MAX_TIMES = 40, 20
PERCUSSION_FALL_DB, MUSIC_FALL_DB, NOISE_FALL_DB, NOISE_STRENGTH = 5.0, 12.0, 18.0, 1.0
MIN_PERCUSSION_MUSICALITY = 0.02  # probability of music from which strokes may be an instrument's
MAX_NOTES, MAX_CHORDS = 32, 12


class MusicListener:
    """Describes the music of a clip; a clip that is not music gets no statement on music."""

    def __init__(self, yamnet: YamNet, transcriber: BasicPitch, classify_style: StyleClassifier) -> None:
        self._yamnet = yamnet
        self._transcribe = transcriber
        self._classify_style = classify_style
        self._head = InstrumentHead()
        self._rhythm = RhythmAnalyser()

    def __call__(self, clip: AudioClip, speech: ActiveSpans = ()) -> tuple[Evidence, ...]:
        """Return statements of the kinds instrument, melody, harmony, rhythm, music and event.

        In a clip that is neither music nor speech, only the strokes are counted, such as steps, knocks or barks.

        Args:
            clip: the whole clip.
            speech: spans of speech, whose syllables are not counted as strokes.
        """
        scores = self._yamnet(clip.samples)
        found = (
            self._describe_music(clip, scores, speech)
            if estimate_musicality(scores) >= MIN_MUSICALITY
            else self._describe_noise(clip, scores, speech)
        )
        return tuple(statement.to_evidence(clip, source="music") for statement in found)

    def _describe_music(self, clip: AudioClip, scores: ClassScores, speech: ActiveSpans) -> list[Statement]:
        players = Players(self._head, clip.samples, scores)
        if players.percussive >= MIN_PERCUSSION:
            struck = _describe_strokes(clip, speech, fall_db=PERCUSSION_FALL_DB)
            return [*players.make_statements(), *describe_rhythm(self._rhythm(clip.samples)), *struck]
        pitches = self._transcribe(clip.samples)
        line = melody.extract_melody(clip.samples, pitches)
        solo_share = melody.measure_solo_share(line, pitches)
        notes = line if _is_solo(line, solo_share, clip) else ()
        texture = analyse_texture(pitches, solo_share)
        tune = _describe_melody(notes) if notes else []
        chords = _describe_harmony(pitches, notes)
        beat = _describe_tempo_of_melody(notes) if tune else describe_rhythm(self._rhythm(clip.samples))
        count = [] if tune or chords else _describe_strokes(clip, speech, fall_db=MUSIC_FALL_DB)
        styles = [] if tune else describe_style(self._classify_style(clip.samples, scores), clip.duration_s)
        woven = describe_texture(texture) if texture else []
        return [*players.make_statements(), *tune, *chords, *woven, *beat, *styles, *count]

    def _describe_noise(self, clip: AudioClip, scores: ClassScores, speech: ActiveSpans) -> list[Statement]:
        if float(expit(scores.logits[:, 0]).mean()) > MAX_SPEECH:
            return []
        count = _describe_strokes(clip, speech, fall_db=NOISE_FALL_DB, strength=NOISE_STRENGTH)
        if not count or estimate_musicality(scores) < MIN_PERCUSSION_MUSICALITY:
            return count
        players = Players(self._head, clip.samples, scores)
        return [*(players.make_statements() if players.percussive >= MIN_PERCUSSION else []), *count]


def estimate_musicality(scores: ClassScores) -> float:
    """Return the probability that the clip is music rather than speech or noise."""
    spoken = expit(scores.logits)[:, SPEECH].max(axis=1)
    return float(np.mean(_find_musical(scores) * (1 - spoken)))


def measure_music(scores: ClassScores) -> float:
    """Return the probability of music or song in the most musical quarter of the clip, with or without speech."""
    musical = np.sort(_find_musical(scores))
    return float(musical[-(len(musical) // 4 or 1) :].mean())


def _find_musical(scores: ClassScores) -> Floats:
    """Return the highest probability of a class of music or song, patch by patch; shape (num_patches,)."""
    probabilities = expit(scores.logits)
    found: Floats = np.maximum(probabilities[:, MUSICAL].max(axis=1), probabilities[:, SUNG].max(axis=1))
    return found


def _is_solo(line: tuple[DetectedNote, ...], solo_share: float, clip: AudioClip) -> bool:
    """Say whether a line of notes is an unaccompanied melody."""
    if not line:
        return False
    cover = sum(note.duration_s for note in line) / clip.duration_s
    strength = float(np.mean([note.strength for note in line]))
    return solo_share >= melody.MIN_SOLO_SHARE and strength >= MIN_STRENGTH and cover >= MIN_COVER


def _describe_melody(found: tuple[DetectedNote, ...]) -> list[Statement]:
    if len(found) > 1:
        return [_describe_tune(found)]
    note = f"{name_pitch(found[0].pitch)} ({pitch_to_hz(found[0].pitch):.0f} Hz)"
    return [make_statement("melody", "A single note is played: {}.", [note], 0.85)]


def _describe_tune(found: tuple[DetectedNote, ...]) -> Statement:
    pitches = [note.pitch for note in found]
    listed = " ".join(name_pitch(pitch) for pitch in pitches[:MAX_NOTES]) + (" …" if len(pitches) > MAX_NOTES else "")
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
    statements = []
    in_order = select_chords(pitches)
    if len(in_order) == 1:
        chord = in_order[0]
        named = make_labels([f"{chord.quality} (the chord is {chord.name})"])
        text = f"Chord: {named[0]}, from {chord.start_s:.1f} to {chord.end_s:.1f} s."
        statements.append(Statement("harmony", text, chord.confidence, labels=named))
    elif in_order:
        named = make_labels(chord.name for chord in in_order[:MAX_CHORDS])
        text = f"Chords in order: {', '.join(map(str, named))}{' …' if len(in_order) > MAX_CHORDS else ''}."
        fit = float(np.mean([chord.confidence for chord in in_order]))
        statements.append(Statement("harmony", text, fit, labels=named))
    elif not tune and (pair := harmony.find_interval(pitches)):
        name = name_interval(pair[1] - pair[0])
        text = f"Two notes sound together, {name_pitch(pair[0])} and {name_pitch(pair[1])}; the interval is a {{}}."
        statements.append(make_statement("harmony", text, [name], INTERVAL_PRECISION))
    return [*statements, *_describe_key(pitches, tune, in_order)]


def select_chords(pitches: Pitches) -> list[harmony.Chord]:
    """Return the chords that fit and last long enough, in order; of one that is repeated, the first."""
    found = harmony.recognise_chords(pitches)
    lasting = [chord for chord in found if chord.fit >= MIN_FIT and chord.duration_s >= MIN_CHORD_S]
    return [next(same) for _, same in groupby(lasting, key=lambda chord: chord.name)]


def _describe_key(pitches: Pitches, tune: tuple[DetectedNote, ...], chords: list[harmony.Chord]) -> list[Statement]:
    if change := None if tune else harmony.find_key_change(pitches):
        return [describe_key_change(change)]
    key = harmony.estimate_key_of_melody(tune) if tune else harmony.estimate_key(pitches)
    if not key or key.lead <= MIN_KEY_LEAD:
        return []
    found = f"{key.mode} ({NAMES[key.tonic]} {key.mode})"
    statements = [make_statement("harmony", "Key: {}.", [found], key.confidence)]
    progression = analyse_progression(chords, key) if len(chords) <= MAX_CHORDS else None
    if progression:
        labels = make_labels([progression.cadence] if progression.cadence else [])
        statements.append(Statement("harmony", progression.describe(key), key.confidence, labels=labels))
    return statements


def describe_key_change(change: harmony.KeyChange) -> Statement:
    """State a modulation."""
    steps = change.semitones
    what = f"the key changes from {change.before.name} to {change.after.name}"
    if steps:
        shift = f"{'up' if steps > 0 else 'down'} {abs(steps)} semitone{'s' * (abs(steps) > 1)}"
        what += f", {shift}, to a {'higher' if steps > 0 else 'lower'} key"
    return make_statement("harmony", "Key change: {}.", [what], harmony.KEY_CHANGE_PRECISION)


def _describe_strokes(
    clip: AudioClip, speech: ActiveSpans, *, fall_db: float, strength: float = 0.0
) -> list[Statement]:
    found = drop_spoken(detect_strokes(clip.samples), speech)
    if len(found) > MAX_STROKES or not are_distinct(clip.samples, found, fall_db=fall_db, strength=strength):
        return []
    listed = ", ".join(f"{onset.time_s:.1f}" for onset in found[:MAX_TIMES]) + (" …" if len(found) > MAX_TIMES else "")
    counted = "1 separate stroke or hit is" if len(found) == 1 else f"{len(found)} separate strokes, hits or events are"
    spacing = describe_spacing([onset.time_s for onset in found])
    ending = f", at {spacing} intervals" if spacing else ""
    return [Statement("event", f"{counted} heard, at {listed} s{ending}.", 0.9)]


def _describe_tempo_of_melody(notes: tuple[DetectedNote, ...]) -> list[Statement]:
    starts_s = [note.start_s for note in notes]
    tempo = estimate_tempo_of_melody(starts_s)
    return [_describe_tempo(tempo.bpm, 0.6, is_constant=True)] if tempo else describe_note_rate(starts_s)


def describe_rhythm(found: Rhythm) -> list[Statement]:
    """Return statements on tempo and metre, or on a change of tempo; none where they cannot be determined."""
    if found.course and found.changes:
        what = f"the tempo {found.course.text}"
        return [make_statement("rhythm", "Tempo change: {}.", [what], found.course.probability, "model")]
    statements = []
    if found.tempo:
        statements.append(
            _describe_tempo(found.tempo.bpm, found.tempo.probability, is_constant=found.course is not None)
        )
    if found.metre:
        number = found.metre.beats_per_bar
        text = f"Metre: {{}} beats in each bar ({TIME_SIGNATURES[number]})."
        statements.append(make_statement("rhythm", text, [number], found.metre.probability, "model"))
    return statements


def _describe_tempo(bpm: float, confidence: float, *, is_constant: bool) -> Statement:
    named = [_name_tempo(bpm), *(["constant"] if is_constant else [])]
    return make_statement("rhythm", f"Tempo: about {', '.join('{}' for _ in named)}.", named, confidence, "model")


def _name_tempo(bpm: float) -> str:
    return f"{bpm:.0f} beats per minute ({_name_pace(bpm)})"


def _name_pace(bpm: float) -> str:
    return "slow" if bpm < 76 else "moderate" if bpm < 110 else "fast" if bpm < 150 else "very fast"
