"""Textures with known course: lines and held chords that enter one after another, drop out, or stay."""

import random

from benchmarks.ears.scores import Score, Voice
from benchmarks.ears.tunes import LINES, MAJOR, MINOR, SUSTAINED, Tune
from benchmarks.instruments.score import NoteEvent

COURSES = ("solo", "constant", "denser", "thinner")
FEWEST, MOST = 2, 4  # voices of what is not a solo


def compose_texture(rng: random.Random, course: str) -> Tune:
    """Compose 8 to 14 s for one line, or for two to four voices, of which the first sounds throughout."""
    length_s, tonic, scale = rng.uniform(8, 14), rng.randrange(12), rng.choice((MAJOR, MINOR))
    count = 1 if course == "solo" else rng.randint(FEWEST if course == "constant" else FEWEST + 1, MOST)
    voices = []
    for number in range(count):
        share = number / count
        start_s = share * length_s if course == "denser" else 0.0
        end_s = (1 - share) * length_s if course == "thinner" else length_s
        compose = _compose_chords if number and rng.random() < 0.4 else _compose_line
        voices.append(compose(rng, tonic, scale, start_s + 0.05, end_s))
    return Tune(Score(tuple(voices), length_s + 0.6), course)


def _compose_line(rng: random.Random, tonic: int, scale: tuple[int, ...], start_s: float, end_s: float) -> Voice:
    part, beat_s = rng.choice(LINES), rng.uniform(0.25, 0.7)
    low, degree, notes = rng.randint(part.low, max(part.low, part.high - 19)), rng.randint(3, 8), []
    at_s = start_s
    while at_s + 0.2 < end_s:
        length_s = min(beat_s * rng.choice((1, 1, 1, 2)), end_s - at_s)
        pitch = low + (tonic - low) % 12 + 12 * (degree // 7) + scale[degree % 7]
        notes.append(NoteEvent(at_s, 0.95 * length_s, min(pitch, part.high + 4), rng.randint(70, 105)))
        degree = min(10, max(0, degree + rng.choice((-2, -1, -1, 0, 1, 1, 2))))
        at_s += length_s
    return Voice(tuple(notes), rng.choice(part.programs))


def _compose_chords(rng: random.Random, tonic: int, scale: tuple[int, ...], start_s: float, end_s: float) -> Voice:
    part, bar_s, notes = rng.choice(SUSTAINED), rng.uniform(1.2, 2.4), []
    at_s = start_s
    while at_s + 0.4 < end_s:
        length_s, degree = min(bar_s, end_s - at_s), rng.choice((0, 3, 4, 5))
        tones = [scale[(degree + third) % 7] for third in (0, 2, 4)]
        notes += [
            NoteEvent(at_s, 0.95 * length_s, 55 + (tonic + tone - 55) % 12, rng.randint(60, 85)) for tone in tones
        ]
        at_s += length_s
    return Voice(tuple(notes), rng.choice(part.programs))
