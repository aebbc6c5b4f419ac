"""Melody: its notes among those transcribed, its contour and its scale."""

import numpy as np

from services.captioners.frames import Floats
from services.captioners.music.melody_line import track_melody
from services.captioners.music.notes import OVERTONES, DetectedNote
from services.captioners.music.pitches import FRAMES_PER_S, LOWEST_PITCH, Pitches

CONTOUR_PRECISION = 0.95  # share of the stated contours that are right (docs/ears.md)
MOSTLY = 0.84  # share of the steps that have a contour's direction
MIN_SOLO_SHARE = 0.72  # of the sound, that one line must explain to be a solo melody
GHOST = 0.45  # of the median length and strength; a note with less of both is an overtone or a slur
SCALES = {
    (2, 2, 1, 2, 2, 2, 1): "a major scale",
    (2, 1, 2, 2, 1, 2, 2): "a natural minor scale",
    (2, 1, 2, 2, 1, 3, 1): "a harmonic minor scale",
    (2, 1, 2, 2, 2, 2, 1): "a melodic minor scale",
    (2, 1, 2, 2, 2, 1, 2): "a Dorian scale (minor with a raised sixth)",
    (1, 2, 2, 2, 1, 2, 2): "a Phrygian scale",
    (2, 2, 2, 1, 2, 2, 1): "a Lydian scale",
    (2, 2, 1, 2, 2, 1, 2): "a Mixolydian scale",
    (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1): "a chromatic scale (all half steps)",
    (2, 2, 2, 2, 2, 2): "a whole-tone scale",
    (2, 2, 3, 2, 3): "a major pentatonic scale",
    (3, 2, 2, 3, 2): "a minor pentatonic scale",
    (3, 2, 1, 1, 3, 2): "a blues scale",
    (2, 1, 2, 1, 2, 1, 2, 1): "a diminished (octatonic) scale",
    (4, 3, 5): "a major arpeggio (broken major chord)",
    (3, 4, 5): "a minor arpeggio (broken minor chord)",
    (3, 3, 6): "a diminished arpeggio (broken diminished chord)",
    (4, 4, 4): "an augmented arpeggio (broken augmented chord)",
}


def extract_melody(samples: Floats, pitches: Pitches) -> tuple[DetectedNote, ...]:
    """Return the notes of the most salient line, without ghost notes.

    Args:
        samples: 16 kHz, shape (num_samples,).
        pitches: their transcription.
    """
    return drop_ghost_notes(track_melody(samples, pitches))


def drop_ghost_notes(line: tuple[DetectedNote, ...]) -> tuple[DetectedNote, ...]:
    """Drop the notes that are both short and faint compared with the median."""
    if len(line) < 3:
        return line
    usual = float(np.median([note.duration_s * note.strength for note in line]))
    return tuple(note for note in line if note.duration_s * note.strength > GHOST**2 * usual)


def measure_solo_share(line: tuple[DetectedNote, ...], pitches: Pitches) -> float:
    """Return the share of the sound that one line of notes and its overtones explain, in [0, 1]."""
    sounding = np.where(pitches.sounding > 0.25, pitches.sounding, 0)
    total = float(sounding.sum())
    explained = np.zeros(sounding.shape, bool)
    for note in line:
        frames = slice(round(note.start_s * FRAMES_PER_S), round(note.end_s * FRAMES_PER_S) + 6)
        for interval in (0, -1, 1, *OVERTONES):
            column = note.pitch - LOWEST_PITCH + interval
            if 0 <= column < sounding.shape[1]:
                explained[frames, column] = True
    return float(sounding[explained].sum()) / total if total else 0.0


def describe_contour(pitches: list[int]) -> str:
    """Describe the contour of a sequence of MIDI pitches."""
    steps = np.diff(pitches)
    moves = steps[steps != 0]
    if len(moves) <= (1 - MOSTLY) * len(steps):
        return "it repeats the same pitch"
    top, bottom = int(np.argmax(pitches)), int(np.argmin(pitches))
    if _compute_share(moves > 0) >= MOSTLY and pitches[-1] > pitches[0]:
        return "the pitch goes steadily upwards (ascending)"
    if _compute_share(moves < 0) >= MOSTLY and pitches[-1] < pitches[0]:
        return "the pitch goes steadily downwards (descending)"
    if _measure_turn(steps, top) >= MOSTLY:
        return "the pitch first rises and then falls (ascending, then descending; an arch)"
    if _measure_turn(-steps, bottom) >= MOSTLY:
        return "the pitch first falls and then rises (descending, then ascending; a valley)"
    return f"the pitch moves up and down and ends {_describe_ending(pitches)}"


def _compute_share(hits: np.ndarray) -> float:
    return float(hits.mean()) if len(hits) else 0.0


def _measure_turn(steps: np.ndarray, turn: int) -> float:
    if turn < 1 or turn > len(steps) - 1:
        return 0.0
    return min(_compute_share(steps[:turn] >= 0), _compute_share(steps[turn:] <= 0))


def _describe_ending(pitches: list[int]) -> str:
    if pitches[-1] == pitches[0]:
        return "on the note it began with"
    return "higher than it began" if pitches[-1] > pitches[0] else "lower than it began"


def recognise_scale(pitches: list[int]) -> str | None:
    """Name the scale or arpeggio that a run of MIDI pitches follows from its lowest note; None where none fits."""
    steps = np.diff(pitches)
    if len(set(pitches)) < 4 or not _is_run(steps):
        return None
    ladder = sorted(set(pitches))
    rungs = tuple(int(step) for step in np.diff(ladder))
    fits = [label for pattern, label in SCALES.items() if _follows(rungs, pattern)]
    return fits[0] if fits else None


def _is_run(steps: np.ndarray) -> bool:
    moves = steps[steps != 0]
    turns = int((np.diff(np.sign(moves)) != 0).sum())
    return turns <= 2 and len(moves) >= 0.8 * len(steps)


def _follows(rungs: tuple[int, ...], pattern: tuple[int, ...]) -> bool:
    return len(rungs) >= len(pattern) and all(rung == pattern[i % len(pattern)] for i, rung in enumerate(rungs))
