"""Rhythms with known tempo, metre and course of the tempo: drum kits, and accompaniments of bass and chords."""

import random
from collections.abc import Callable
from typing import NamedTuple

from benchmarks.ears.scores import Score, Voice
from benchmarks.instruments.score import NoteEvent

KICK, SNARE, CLAP, RIM, LOW_TOM = 36, 38, 39, 37, 41
HATS = (42, 42, 42, 46, 51, 54, 70)
CRASH = 49
GROUPS = {
    2: ((2,),),
    3: ((3,),),
    4: ((4,), (2, 2)),
    5: ((3, 2), (2, 3), (5,)),
    6: ((3, 3), (6,), (2, 2, 2)),
    7: ((2, 2, 3), (3, 2, 2), (4, 3), (7,)),
}
"""Metre -> how the beats of a bar are grouped."""
COURSES = ("constant", "gradually faster", "gradually slower", "suddenly faster", "suddenly slower")
BASSES, CHORDS = (32, 33, 34, 35, 38, 58), (0, 4, 16, 21, 24, 25, 26, 48)


class Rhythm(NamedTuple):
    """A score and what is true of it."""

    score: Score
    bpm: float
    beats_per_bar: int
    course: str
    ratio: float
    """Tempo at the end against that at the beginning."""


def compose_rhythm(rng: random.Random, *, course: str = "constant") -> Rhythm:
    """Compose 6 to 14 s of a rhythm that repeats its bar, now and then with a fill."""
    beats = rng.choice((3, 4, 4, 5, 6, 7))
    bpm = rng.uniform(60, 190)
    length_s = rng.uniform(6, 14)
    style: Callable[[random.Random, int], list[tuple[float, int, int]]] = rng.choice(
        (_compose_kit, _compose_kit, _compose_accents, _compose_bass_and_chords)
    )
    is_drums = style is not _compose_bass_and_chords
    bar = style(rng, beats)
    ratio = _draw_ratio(rng, course)
    place_times = _time_beats(bpm, length_s, course, ratio, rng)
    notes: list[NoteEvent] = []
    jitter_s = rng.choice((0.0, 0.004, 0.01))
    num_beats = len(place_times) - 1
    for first in range(0, num_beats, beats):
        this = _vary(bar, rng) if rng.random() < 0.2 else bar
        for place, key, velocity in this:
            at = first + place
            if at >= num_beats:
                continue
            whole = int(at)
            start_s = place_times[whole] + (at - whole) * (place_times[whole + 1] - place_times[whole])
            start_s = max(0.0, start_s + rng.gauss(0, jitter_s))
            loud = min(127, max(20, velocity + rng.randint(-8, 8)))
            if start_s < length_s - 0.02:
                beat_s = place_times[whole + 1] - place_times[whole]
                notes.append(NoteEvent(start_s, 0.2 if is_drums else 0.8 * beat_s, key, loud))
    voices = (Voice(tuple(notes), None),) if is_drums else _split_hands(notes, rng)
    return Rhythm(Score(voices, length_s), bpm, beats, course, ratio)


def _split_hands(notes: list[NoteEvent], rng: random.Random) -> tuple[Voice, ...]:
    low = tuple(note for note in notes if note.pitch < 48)
    high = tuple(note for note in notes if note.pitch >= 48)
    return (Voice(low, rng.choice(BASSES)), Voice(high, rng.choice(CHORDS)))


def _draw_ratio(rng: random.Random, course: str) -> float:
    if course == "constant":
        return 1.0
    size = rng.uniform(1.25, 2.1)
    return size if course.endswith("faster") else 1 / size


def _time_beats(bpm: float, length_s: float, course: str, ratio: float, rng: random.Random) -> list[float]:
    """Return when each beat comes, in seconds, until the clip ends."""
    jump_s = length_s * rng.uniform(0.4, 0.6)
    times, now_s = [0.0], 0.0
    while now_s < length_s:
        if course.startswith("gradually"):
            rate = ratio ** (now_s / length_s)
        elif course.startswith("suddenly"):
            rate = ratio if now_s >= jump_s else 1.0
        else:
            rate = 1.0
        now_s += 60 / (bpm * rate)
        times.append(now_s)
    return times


def _compose_kit(rng: random.Random, beats: int) -> list[tuple[float, int, int]]:
    """Compose a bar of a drum kit: a kick on the first beat, a snare within each group, a hi-hat over both."""
    groups = rng.choice(GROUPS[beats])
    strokes = [(0.0, KICK, rng.randint(95, 120))]
    start = 0
    for number, size in enumerate(groups):
        if number and rng.random() < 0.7:  # two equal halves of six beats would be two bars of three
            strokes.append((float(start), SNARE if size == beats / 2 else KICK, rng.randint(75, 105)))
        backs = [start + back for back in range(1, size) if size <= 3 or back % 2]
        kept = backs if rng.random() < 0.6 else backs[-1:]
        strokes += [(float(back), rng.choice((SNARE, SNARE, RIM, CLAP)), rng.randint(80, 115)) for back in kept[-2:]]
        start += size
    if rng.random() < 0.4:
        strokes.append((rng.randrange(1, 2 * beats) / 2, KICK, rng.randint(60, 95)))
    parts = rng.choice((0, 1, 1, 2, 2, 2, 3, 4))
    hat = rng.choice(HATS)
    strokes += [
        (place / parts, hat, rng.randint(60, 80) + (15 if place % parts == 0 else 0)) for place in range(beats * parts)
    ]
    if rng.random() < 0.15:
        strokes.append((0.0, CRASH, 100))
    return strokes


def _compose_accents(rng: random.Random, beats: int) -> list[tuple[float, int, int]]:
    """Compose a bar of single strokes of which the first is lower or louder, as of a metronome or a hand drum."""
    low, high = rng.choice(((KICK, 42), (KICK, SNARE), (LOW_TOM, 50), (64, 62), (61, 60), (77, 76), (66, 65)))
    accent = rng.randint(10, 35)
    loud = rng.randint(70, 90)
    strokes = [(0.0, low, min(127, loud + accent))]
    strokes += [(float(beat), high, loud) for beat in range(1, beats)]
    if rng.random() < 0.3:
        strokes += [(beat + 0.5, high, loud - 25) for beat in range(beats)]
    return strokes


def _compose_bass_and_chords(rng: random.Random, beats: int) -> list[tuple[float, int, int]]:
    """Compose a bar of a bass on the first beats of the groups, and chords on the others."""
    root = rng.randint(30, 42)
    third = rng.choice((3, 4))
    strokes, start = [(0.0, root, rng.randint(90, 115))], 0
    for size in rng.choice(GROUPS[beats]):
        if start and rng.random() < 0.7:
            strokes.append((float(start), root + rng.choice((7, 12)), rng.randint(65, 85)))
        for back in range(start + 1, start + size):
            strokes += [(float(back), root + 24 + tone, rng.randint(60, 85)) for tone in (0, third, 7)]
        start += size
    return strokes


def _vary(bar: list[tuple[float, int, int]], rng: random.Random) -> list[tuple[float, int, int]]:
    """Return the bar with a stroke left out or one added off the beat."""
    if rng.random() < 0.5 and len(bar) > 4:
        left_out = rng.randrange(1, len(bar))
        return [stroke for number, stroke in enumerate(bar) if number != left_out]
    place, key, velocity = rng.choice(bar)
    return [*bar, (place + 0.5, key, max(30, velocity - 20))]


class Strokes(NamedTuple):
    """A score of single strokes, and how many there are."""

    score: Score
    number: int


def compose_strokes(rng: random.Random) -> Strokes:
    """Compose one to nine strokes of one instrument at uneven distances."""
    number, now_s, notes = rng.randint(1, 9), 0.1, []
    key = rng.choice((36, 38, 39, 42, 45, 54, 56, 60, 62, 65, 70, 75, 76))
    usual_s = rng.uniform(0.3, 1.0)
    for _ in range(number):
        notes.append(NoteEvent(now_s, 0.2, key, rng.randint(75, 115)))
        now_s += usual_s * rng.uniform(0.8, 1.25)
    return Strokes(Score((Voice(tuple(notes), None),), now_s + 0.3), number)


SPACINGS = ("regular", "shorter and shorter", "longer and longer", "uneven")


def compose_spaced_strokes(rng: random.Random, spacing: str) -> Score:
    """Compose five to nine strokes of one instrument whose gaps are alike, develop evenly, or neither."""
    number, now_s, notes = rng.randint(5, 9), 0.1, []
    key, gap_s = rng.choice((36, 38, 39, 45, 56, 60, 75, 76)), rng.uniform(0.4, 1.0)
    ratio = rng.uniform(1.08, 1.25)
    for _ in range(number):
        notes.append(NoteEvent(now_s, 0.2, key, rng.randint(75, 115)))
        now_s += gap_s * (rng.uniform(0.5, 2) if spacing == "uneven" else rng.gauss(1, 0.02))
        gap_s *= {"shorter and shorter": 1 / ratio, "longer and longer": ratio}.get(spacing, 1.0)
    return Score((Voice(tuple(notes), None),), now_s + 0.3)
