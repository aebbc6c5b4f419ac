"""Harmonic analysis: chords as degrees of the scale (Roman numerals), and the cadence at the end."""

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from services.captioners.music.harmony import QUALITIES, Chord, MusicalKey

NUMERALS = {
    "major": {0: "I", 2: "II", 4: "III", 5: "IV", 7: "V", 9: "VI", 11: "VII"},
    "minor": {0: "I", 2: "II", 3: "III", 5: "IV", 7: "V", 8: "VI", 10: "VII", 11: "VII"},
}
"""Mode -> semitones above the tonic -> degree."""
MINOR_THIRD = 3  # semitones
CADENCES = {
    ("V", "I"): "an authentic cadence (V to I)",
    ("IV", "I"): "a plagal cadence (IV to I)",
    ("V", "VI"): "a deceptive cadence (V to VI)",
}
HALF_CADENCE = "a half cadence (on V)"


class Progression(NamedTuple):
    """A sequence of chords in a key."""

    numerals: tuple[str, ...]
    """Such as I, vi and V; lower case where the third is minor."""
    cadence: str | None
    """None where the last two chords form none."""

    def describe(self, key: MusicalKey) -> str:
        """Return the progression as a statement."""
        end = f"; it ends with {self.cadence}" if self.cadence else ""
        return f"Progression in {key.name}: {', '.join(self.numerals)}{end}."


def analyse_progression(chords: Sequence[Chord], key: MusicalKey) -> Progression | None:
    """Return the degrees of the chords; None where one of them is not on a degree of the key."""
    degrees = [NUMERALS[key.mode].get((chord.root - key.tonic) % 12) for chord in chords]
    named = [degree for degree, _ in groupby(degree for degree in degrees if degree is not None)]
    if None in degrees or len(named) < 2:
        return None
    numerals = tuple(
        degree.lower() if MINOR_THIRD in QUALITIES[chord.quality] else degree
        for degree, chord in zip(degrees, chords, strict=True)
        if degree is not None
    )
    last = (named[-2], named[-1])
    return Progression(numerals, CADENCES.get(last, HALF_CADENCE if last[1] == "V" else None))
