"""Tunes that come twice, with a known change between the two."""

import random

from benchmarks.ears.scores import Score, Voice
from benchmarks.ears.tunes import LINES, MAJOR, MINOR, Tune
from benchmarks.instruments.score import NoteEvent

CHANGES = ("unchanged", "higher", "lower", "faster", "slower", "backwards", "another tune")
BEATS = (0.5, 0.5, 1.0, 1.0, 1.5)


def compose_repeat(rng: random.Random, change: str) -> Tune:
    """Compose a solo line of 6 to 10 notes that comes again after a pause, changed as said or for another line."""
    part, steps = rng.choice(LINES), rng.choice((MAJOR, MINOR))
    low = part.low + rng.randint(0, max(0, part.high - part.low - 24))
    count = rng.randint(6, 10)

    def draw() -> list[tuple[int, float]]:
        degrees = [rng.randint(0, 7) for _ in range(count)]
        return [(low + steps[degree % 7] + 12 * (degree // 7), rng.choice(BEATS)) for degree in degrees]

    first = draw()
    shift = {"higher": 1, "lower": -1}.get(change, 0) * rng.choice((2, 3, 4, 5, 7))
    speed = {"faster": rng.uniform(1.25, 2.0), "slower": 1 / rng.uniform(1.25, 2.0)}.get(change, 1.0)
    second = {"backwards": first[::-1], "another tune": draw()}.get(change, first)
    beat_s = rng.uniform(0.35, 0.6)
    notes, end_s = _place(first, 0.05, beat_s)
    again, end_s = _place(
        [(pitch + shift, beats) for pitch, beats in second], end_s + rng.uniform(0.5, 1.2), beat_s / speed
    )
    return Tune(Score((Voice((*notes, *again), rng.choice(part.programs)),), end_s + 0.6), change)


def _place(tune: list[tuple[int, float]], start_s: float, beat_s: float) -> tuple[list[NoteEvent], float]:
    """Return the notes of pitches and beats, and where they end."""
    notes = []
    for pitch, beats in tune:
        notes.append(NoteEvent(start_s, 0.9 * beats * beat_s, pitch, 95))
        start_s += beats * beat_s
    return notes, start_s
