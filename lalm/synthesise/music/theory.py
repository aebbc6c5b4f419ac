"""Music theory as tables: intervals, chords, scales, cadences, progressions."""

from collections.abc import Mapping

from lalm.distill.facts import Wordings

NOTE_NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")

INTERVALS: Mapping[int, Wordings] = {
    0: ("Unison", "The same pitch"),
    1: ("Minor second", "A semitone"),
    2: ("Major second", "A whole tone"),
    3: ("Minor third", "Three semitones"),
    4: ("Major third", "Four semitones"),
    5: ("Perfect fourth", "Five semitones"),
    6: ("Tritone", "Six semitones"),
    7: ("Perfect fifth", "Seven semitones"),
    8: ("Minor sixth", "Eight semitones"),
    9: ("Major sixth", "Nine semitones"),
    10: ("Minor seventh", "Ten semitones"),
    11: ("Major seventh", "Eleven semitones"),
    12: ("Octave", "Twelve semitones"),
}

TRIADS: Mapping[str, tuple[int, ...]] = {
    "Major": (0, 4, 7),
    "Minor": (0, 3, 7),
    "Diminished": (0, 3, 6),
    "Augmented": (0, 4, 8),
    "Suspended fourth": (0, 5, 7),
}
SEVENTHS: Mapping[str, tuple[int, ...]] = {
    "Major seventh": (0, 4, 7, 11),
    "Dominant seventh": (0, 4, 7, 10),
    "Minor seventh": (0, 3, 7, 10),
    "Half-diminished seventh": (0, 3, 6, 10),
    "Diminished seventh": (0, 3, 6, 9),
}
CHORDS: Mapping[str, tuple[int, ...]] = {**TRIADS, **SEVENTHS}

SCALES: Mapping[str, tuple[int, ...]] = {
    "Major scale": (0, 2, 4, 5, 7, 9, 11, 12),
    "Natural minor scale": (0, 2, 3, 5, 7, 8, 10, 12),
    "Harmonic minor scale": (0, 2, 3, 5, 7, 8, 11, 12),
    "Major pentatonic scale": (0, 2, 4, 7, 9, 12),
    "Minor pentatonic scale": (0, 3, 5, 7, 10, 12),
    "Blues scale": (0, 3, 5, 6, 7, 10, 12),
    "Chromatic scale": tuple(range(13)),
    "Whole-tone scale": (0, 2, 4, 6, 8, 10, 12),
    "Dorian mode": (0, 2, 3, 5, 7, 9, 10, 12),
    "Mixolydian mode": (0, 2, 4, 5, 7, 9, 10, 12),
}
MAJOR, MINOR = SCALES["Major scale"][:-1], SCALES["Natural minor scale"][:-1]

CADENCES: Mapping[str, tuple[str, ...]] = {
    "Perfect (authentic) cadence": ("I", "IV", "V", "I"),
    "Plagal cadence": ("I", "V", "IV", "I"),
    "Half cadence": ("I", "IV", "ii", "V"),
    "Deceptive cadence": ("I", "IV", "V", "vi"),
}
PROGRESSIONS: tuple[tuple[str, ...], ...] = (
    ("I", "IV", "V", "I"),
    ("I", "V", "vi", "IV"),
    ("vi", "IV", "I", "V"),
    ("I", "vi", "IV", "V"),
    ("ii", "V", "I", "I"),
    ("I", "iii", "IV", "V"),
    ("I", "IV", "I", "V"),
    ("I", "V", "IV", "I"),
)
DEGREES: Mapping[str, tuple[int, ...]] = {
    "I": (0, 4, 7),
    "ii": (2, 5, 9),
    "iii": (4, 7, 11),
    "IV": (5, 9, 12),
    "V": (7, 11, 14),
    "vi": (9, 12, 16),
}
"""Degree of a major scale -> notes of its triad, in semitones above the tonic."""
MINOR_DEGREES: Mapping[str, tuple[int, ...]] = {
    "i": (0, 3, 7),
    "iv": (5, 8, 12),
    "V": (7, 11, 14),
    "VI": (8, 12, 15),
    "VII": (10, 14, 17),
}
MINOR_PROGRESSIONS: tuple[tuple[str, ...], ...] = (
    ("i", "iv", "V", "i"),
    ("i", "VI", "VII", "i"),
    ("i", "VII", "VI", "V"),
    ("i", "iv", "VII", "i"),
)
