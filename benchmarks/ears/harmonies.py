"""Cadences, intervals and scales: scores whose harmony is known."""

import random

from benchmarks.ears.scores import Score, Voice
from benchmarks.ears.tunes import LINES, MAJOR, MINOR, PROGRESSIONS, SUSTAINED, Tune
from benchmarks.instruments.score import NoteEvent
from services.captioners.music.harmony import QUALITIES
from services.captioners.music.melody import SCALES
from services.captioners.music.notes import NAMES

CADENCES = {"authentic": (4, 0), "plagal": (3, 0), "half": (0, 4), "deceptive": (4, 5)}
"""Cadence -> the degrees of its last two chords, from 0."""
APPROACHES = ((0, 3), (0, 5), (0, 1), (0, 3, 1), (0, 5, 3))


def compose_cadence(rng: random.Random, cadence: str, mode: str) -> Tune:
    """Compose four or five triads in a key, the last two of which make the cadence."""
    scale, tonic, beat_s = (MAJOR if mode == "major" else MINOR), rng.randrange(12), rng.uniform(0.7, 1.3)
    degrees = (*rng.choice(APPROACHES), *CADENCES[cadence])
    notes, bass = [], []
    for index, degree in enumerate(degrees):
        start_s, length_s = 0.05 + index * beat_s, beat_s * (1.6 if index == len(degrees) - 1 else 0.95)
        tones = list_triad(scale, degree, mode)
        notes += [NoteEvent(start_s, length_s, 55 + (tonic + tone - 55) % 12, 80) for tone in tones]
        bass.append(NoteEvent(start_s, length_s, 36 + (tonic + tones[0]) % 12, 90))
    part = rng.choice(SUSTAINED)
    voices = (Voice(tuple(notes), rng.choice(part.programs)), Voice(tuple(bass), rng.choice((32, 33, 42, 43, 0, 70))))
    return Tune(Score(voices, (len(degrees) + 0.8) * beat_s + 0.5), cadence)


def compose_modulation(rng: random.Random, semitones: int, mode: str) -> Tune:
    """Compose two progressions over a bass, the second that many semitones higher, now and then under a melody."""
    scale, tonic, beat_s = (MAJOR if mode == "major" else MINOR), rng.randrange(12), rng.uniform(0.6, 1.2)
    phrases = (rng.choice(PROGRESSIONS), rng.choice(PROGRESSIONS))
    steps = [(degree, shift) for phrase, shift in zip(phrases, (0, semitones), strict=True) for degree in (*phrase, 0)]
    chords, bass, tune = [], [], []
    for index, (degree, shift) in enumerate(steps):
        start_s, tones = 0.05 + index * beat_s, list_triad(scale, degree, mode)
        chords += [NoteEvent(start_s, 0.95 * beat_s, 55 + (tonic + shift + tone - 55) % 12, 80) for tone in tones]
        bass.append(NoteEvent(start_s, 0.95 * beat_s, 36 + (tonic + shift + tones[0]) % 12, 90))
        passed = [rng.choice(tones), rng.choice(scale)]
        tune += [
            NoteEvent(start_s + half * beat_s / 2, 0.45 * beat_s, 72 + (tonic + shift + tone) % 12, 95)
            for half, tone in enumerate(passed)
        ]
    part = rng.choice(SUSTAINED)
    voices = [Voice(tuple(chords), rng.choice(part.programs)), Voice(tuple(bass), rng.choice((32, 33, 43, 0)))]
    if rng.random() < 0.5:
        voices.append(Voice(tuple(tune), rng.choice((0, 40, 56, 64, 68, 71, 73))))
    return Tune(Score(tuple(voices), len(steps) * beat_s + 0.5), f"{tonic} {(tonic + semitones) % 12} {mode}")


def name_triads(tune: Tune) -> list[str]:
    """Return the names of the triads that the first voice plays, in order; of one that is repeated, once."""
    notes = tune.score.voices[0].notes
    played = [{note.pitch % 12 for note in notes if note.start_s == at} for at in sorted({n.start_s for n in notes})]
    names = [
        f"{NAMES[root]} {quality}"
        for tones in played
        for root in tones
        for quality, intervals in QUALITIES.items()
        if {(root + interval) % 12 for interval in intervals} == tones
    ]
    return [name for i, name in enumerate(names) if i == 0 or names[i - 1] != name]


def list_triad(scale: tuple[int, ...], degree: int, mode: str) -> list[int]:
    """Return the triad on a degree, in semitones above the tonic; in minor the dominant has the leading note."""
    tones = [scale[(degree + third) % 7] for third in (0, 2, 4)]
    if mode == "minor" and degree == 4:
        tones[1] += 1
    return [tone % 12 for tone in tones]


def compose_interval(rng: random.Random, semitones: int, *, is_harmonic: bool) -> Tune:
    """Compose two notes a number of semitones apart, together or one after the other."""
    part = rng.choice(SUSTAINED if is_harmonic else LINES)
    low = rng.randint(max(part.low, 43), max(part.low, 43, min(part.high - 14, 72)))
    pitches = [low, low + semitones]
    rng.shuffle(pitches)
    gap_s = 0.0 if is_harmonic else rng.uniform(0.5, 1.0)
    length_s = 1.8 if is_harmonic else 0.9 * gap_s
    notes = tuple(NoteEvent(0.05 + i * gap_s, length_s, pitch, 90) for i, pitch in enumerate(pitches))
    return Tune(Score((Voice(notes, rng.choice(part.programs)),), 2 * gap_s + length_s + 0.5), str(semitones))


def compose_scale(rng: random.Random, name: str) -> Tune:
    """Compose a scale or broken chord: up, down, or up and down again."""
    steps = next(steps for steps, told in SCALES.items() if told == name)
    part = rng.choice([one for one in LINES if one.high - one.low >= 24])
    tonic = rng.randint(part.low, part.high - 13)
    ladder = [tonic]
    for step in steps * (1 if sum(steps) == 12 else 12 // sum(steps)):
        ladder.append(ladder[-1] + step)
    way = rng.choice(("up", "down", "both"))
    pitches = ladder if way == "up" else ladder[::-1] if way == "down" else ladder + ladder[-2::-1]
    gap_s = rng.uniform(0.2, 0.5)
    notes = tuple(NoteEvent(0.05 + i * gap_s, 0.9 * gap_s, pitch, 90) for i, pitch in enumerate(pitches))
    return Tune(Score((Voice(notes, rng.choice(part.programs)),), len(pitches) * gap_s + 0.6), name)
