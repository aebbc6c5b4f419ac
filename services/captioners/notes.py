"""A note, the names of pitches, and where overtones lie."""

from typing import NamedTuple

OVERTONES = (12, 19, 24, 28, 31, 34, 36)  # semitones above the fundamental
NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")


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
