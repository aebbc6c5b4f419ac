"""Melodies, chords and progressions with known contour, chord quality and key."""

import random
from typing import NamedTuple

from benchmarks.ears.scores import Score, Voice
from benchmarks.instruments.score import PITCHED, InstrumentPart, NoteEvent
from services.captioners.music.harmony import QUALITIES

CONTOURS = ("ascending", "descending", "rises and then falls", "falls and then rises", "up and down", "same pitch")
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
STEPS = (MAJOR, MINOR, (0, 2, 4, 7, 9), tuple(range(12)))
PROGRESSIONS = ((0, 3, 4, 0), (0, 5, 3, 4), (0, 4, 5, 3), (5, 3, 0, 4), (0, 3, 0, 4), (1, 4, 0, 0), (0, 5, 1, 4))
"""Degrees of the scale, from 0, on which the chords stand."""
SUSTAINED = tuple(part for part in PITCHED if part.chords)
LINES = tuple(part for part in PITCHED if part.label not in ("timpani", "string ensemble", "choir of voices"))


class Tune(NamedTuple):
    """A score and what is true of it."""

    score: Score
    truth: str


def compose_contour(rng: random.Random, contour: str) -> Tune:
    """Compose a solo line of 5 to 13 notes that moves as the contour says."""
    part, steps = rng.choice(LINES), rng.choice(STEPS)
    count = rng.randint(5, 13)
    degrees = _draw_degrees(rng, contour, count)
    tonic = part.low + max(0, rng.randint(0, max(0, part.high - part.low - 26)))
    pitches = [_find_pitch(steps, degree, tonic, part) for degree in degrees]
    gap_s, loud, legato = rng.uniform(0.22, 0.6), rng.randint(70, 110), rng.uniform(0.7, 1.0)
    notes = [
        NoteEvent(0.05 + i * gap_s, gap_s * legato, pitch, loud + rng.randint(-10, 10))
        for i, pitch in enumerate(pitches)
    ]
    return Tune(Score((Voice(tuple(notes), rng.choice(part.programs)),), count * gap_s + 0.6), contour)


def _draw_degrees(rng: random.Random, contour: str, count: int) -> list[int]:
    turn = rng.randint(2, count - 3)
    if contour == "ascending":
        return list(range(count))
    if contour == "descending":
        return list(range(count, 0, -1))
    if contour == "same pitch":
        return [rng.randint(0, 8)] * count
    rise = [min(i, 2 * turn - i) for i in range(count)]
    if contour == "rises and then falls":
        return [degree - min(rise) for degree in rise]
    if contour == "falls and then rises":
        return [max(rise) - degree for degree in rise]
    degrees = [rng.randint(2, 6)]
    for index in range(count - 1):
        way = 1 if index % 2 == 0 else -1
        degrees.append(degrees[-1] + way * rng.choice((1, 2, 3)))
    return [degree - min(degrees) for degree in degrees]


def _find_pitch(steps: tuple[int, ...], degree: int, tonic: int, part: InstrumentPart) -> int:
    pitch = tonic + steps[degree % len(steps)] + 12 * (degree // len(steps))
    while pitch > part.high + 4:
        pitch -= 12
    return pitch


def compose_chord(rng: random.Random, quality: str) -> Tune:
    """Compose one chord of a quality: held, repeated, or broken and then held."""
    part = rng.choice(SUSTAINED)
    intervals = QUALITIES[quality]
    root = rng.randint(max(43, part.low), min(64, part.high - 12))
    pitches = [root + interval for interval in intervals]
    if rng.random() < 0.3 and len(intervals) < 4 and quality not in ("augmented", "suspended second (sus2)"):
        pitches.append(root + 12)
    loud, style = rng.randint(75, 110), rng.choice(("held", "repeated", "broken"))
    if style == "held":
        notes = [NoteEvent(0.05, 2.4, pitch, loud) for pitch in pitches]
    elif style == "repeated":
        notes = [NoteEvent(0.05 + 0.6 * i, 0.55, pitch, loud) for i in range(4) for pitch in pitches]
    else:
        notes = [NoteEvent(0.05 + 0.35 * i, 0.33, pitch, loud) for i, pitch in enumerate(pitches)]
        after_s = 0.05 + 0.35 * len(pitches)
        notes += [NoteEvent(after_s, 1.6, pitch, loud) for pitch in pitches]
    return Tune(Score((Voice(tuple(notes), rng.choice(part.programs)),), 3.6), quality)


def compose_key(rng: random.Random, mode: str) -> Tune:
    """Compose a progression in a key, with a bass and now and then a melody over it."""
    scale, tonic = (MAJOR if mode == "major" else MINOR), rng.randrange(12)
    beat_s = rng.uniform(0.7, 1.4)
    degrees = [*rng.choice(PROGRESSIONS), 0]
    chords, bass, tune = [], [], []
    for index, degree in enumerate(degrees):
        start_s = 0.05 + index * beat_s
        tones = [scale[(degree + third) % 7] + 12 * ((degree + third) // 7) for third in (0, 2, 4)]
        if mode == "minor" and degree == 4:
            tones[1] += 1  # the leading note of harmonic minor
        chords += [NoteEvent(start_s, 0.95 * beat_s, 48 + tonic + tone % 12 + 12 * (tone < 4), 80) for tone in tones]
        bass.append(NoteEvent(start_s, 0.95 * beat_s, 36 + (tonic + tones[0]) % 12, 90))
        for half in range(2):
            pitch = 72 + (tonic + rng.choice(tones)) % 12
            tune.append(NoteEvent(start_s + half * beat_s / 2, 0.45 * beat_s, pitch, 95))
    part = rng.choice(SUSTAINED)
    voices = [Voice(tuple(chords), rng.choice(part.programs)), Voice(tuple(bass), rng.choice((32, 33, 43, 0)))]
    if rng.random() < 0.6:
        voices.append(Voice(tuple(tune), rng.choice((0, 40, 56, 64, 68, 71, 73))))
    return Tune(Score(tuple(voices), len(degrees) * beat_s + 0.5), f"{tonic} {mode}")
