"""The notes that are played, and the line of notes that makes the melody."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.pitches import FRAMES_PER_S, LOWEST_PITCH, Pitches

START_THRESHOLD = 0.4  # probability of a start that begins a note
SOUND_THRESHOLD = 0.25  # probability of sounding below which a note has ended
PATIENCE_FRAMES = 8  # a dip shorter than this (0.09 s) does not end a note
SHORTEST_FRAMES = 4
CHORD_S = 0.06  # notes that start within this time start together
OVERTONES = (12, 19, 24, 28, 31, 34, 36)  # semitones above the fundamental
NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")

Floats = NDArray[np.float32]


class Note(NamedTuple):
    """One note."""

    start_s: float
    end_s: float
    pitch: int
    """MIDI number; 60 is C4."""
    strength: float
    """Mean probability of sounding, in [0, 1]."""


def name(pitch: int) -> str:
    """Return the name of a MIDI pitch with its octave, such as C4."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}".replace(" sharp", "#").replace(" flat", "b")


def notes(pitches: Pitches) -> tuple[Note, ...]:
    """Return the notes in order of start."""
    found = [
        note
        for column in np.flatnonzero(pitches.starting.max(axis=0, initial=0.0) > START_THRESHOLD)
        for note in _column_notes(pitches.sounding[:, column], pitches.starting[:, column], int(column))
    ]
    return tuple(sorted(found))


def _column_notes(sounding: Floats, starting: Floats, column: int) -> list[Note]:
    starts = _peaks(starting, START_THRESHOLD)
    found = []
    for index, start in enumerate(starts):
        limit = starts[index + 1] if index + 1 < len(starts) else len(sounding)
        end = _end(sounding, start, limit)
        if end - start >= SHORTEST_FRAMES:
            strength = float(sounding[start:end].mean())
            found.append(Note(start / FRAMES_PER_S, end / FRAMES_PER_S, column + LOWEST_PITCH, strength))
    return found


def _peaks(curve: Floats, threshold: float) -> list[int]:
    inner = curve[1:-1]
    peaks = np.flatnonzero((inner > threshold) & (inner >= curve[:-2]) & (inner > curve[2:])) + 1
    return [int(peak) for peak in peaks]


def _end(sounding: Floats, start: int, limit: int) -> int:
    silent = 0
    for frame in range(start + 1, limit):
        silent = silent + 1 if sounding[frame] < SOUND_THRESHOLD else 0
        if silent >= PATIENCE_FRAMES:
            return frame - silent + 1
    return limit - silent


def chords(found: tuple[Note, ...]) -> tuple[tuple[Note, ...], ...]:
    """Group the notes that start together, in order of time."""
    groups: list[list[Note]] = []
    for note in found:
        if groups and note.start_s - groups[-1][0].start_s <= CHORD_S:
            groups[-1].append(note)
        else:
            groups.append([note])
    return tuple(tuple(group) for group in groups)


def without_overtones(group: tuple[Note, ...]) -> tuple[Note, ...]:
    """Drop the notes of a group that are weak overtones of a lower one."""
    return tuple(
        note
        for note in group
        if not any(note.pitch - low.pitch in OVERTONES and note.strength < 0.8 * low.strength for low in group)
    )
