"""Answer verification for music theory, on the line of fifths: … F C G D …, one step a fifth, a sharp seven steps."""

from collections.abc import Callable, Mapping

from eval.akb_open.row import Derivation

LETTERS = "FCGDAEB"  # -1 to 5
INTERVALS = {
    "minor second": -5,
    "major second": 2,
    "minor third": -3,
    "major third": 4,
    "perfect fourth": -1,
    "augmented fourth": 6,
    "diminished fifth": -6,
    "perfect fifth": 1,
    "minor sixth": -4,
    "major sixth": 3,
    "minor seventh": -2,
    "major seventh": 5,
}
"""Steps on the line of fifths from the lower note to the upper one."""
DEGREES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
SCALES = {
    "major": (0, 2, 4, -1, 1, 3, 5),
    "natural minor": (0, 2, -3, -1, 1, -4, -2),
    "harmonic minor": (0, 2, -3, -1, 1, -4, 5),
}
CHORDS = {
    "major triad": (0, 4, 1),
    "minor triad": (0, -3, 1),
    "diminished triad": (0, -3, -6),
    "augmented triad": (0, 4, 8),
    "major seventh chord": (0, 4, 1, 5),
    "dominant seventh chord": (0, 4, 1, -2),
    "minor seventh chord": (0, -3, 1, -2),
    "half-diminished seventh chord": (0, -3, -6, -2),
}
MINOR = -3  # a minor key has the signature of the major key three fifths below it, counted in sharps


def count_fifths(note: str) -> int:
    """Return the place of `B flat` and the like on the line of fifths; C is 0."""
    letter, _, accidental = note.partition(" ")
    return LETTERS.index(letter) - 1 + {"flat": -7, "": 0, "natural": 0, "sharp": 7}[accidental]


def find_pitch_class(place: int) -> int:
    """Return semitones above C of a place on the line of fifths."""
    return 7 * place % 12


def _count_accidentals(key: str) -> int:
    tonic, _, mode = key.rpartition(" ")
    return count_fifths(tonic) + (MINOR if mode == "minor" else 0)


def _parse_signature(text: str) -> int:
    count, _, kind = text.partition(" ")
    return 0 if count == "no" else int(count) * (1 if kind.startswith("sharp") else -1)


def _spell_chord(name: str) -> tuple[int, ...]:
    kind = max((kind for kind in CHORDS if name.endswith(f" {kind}")), key=len)
    root = count_fifths(name.removesuffix(f" {kind}"))
    return tuple(root + step for step in CHORDS[kind])


def _parse_notes(text: str) -> tuple[int, ...]:
    return tuple(count_fifths(note) for note in text.split(", "))


def _find_degree(derivation: Derivation) -> int:
    step = SCALES[derivation.get_text("scale")][DEGREES.index(derivation.get_text("degree"))]
    return count_fifths(derivation.get_text("tonic")) + step


Claim = Callable[[Derivation, str], bool]
HOLDS: Mapping[str, Claim] = {
    "note_above": lambda d, choice: (
        count_fifths(choice) - count_fifths(d.get_text("low")) == INTERVALS[d.get_text("interval")]
    ),
    "note_below": lambda d, choice: (
        count_fifths(d.get_text("high")) - count_fifths(choice) == INTERVALS[d.get_text("interval")]
    ),
    "interval_between": lambda d, choice: (
        count_fifths(d.get_text("high")) - count_fifths(d.get_text("low")) == INTERVALS[choice]
    ),
    "signature": lambda d, choice: _count_accidentals(d.get_text("key")) == _parse_signature(choice),
    "key": lambda d, choice: (
        _count_accidentals(choice) == _parse_signature(d.get_text("signature")) and choice.endswith(d.get_text("mode"))
    ),
    "relative": lambda d, choice: (
        _count_accidentals(choice) == _count_accidentals(d.get_text("key")) and choice.endswith(d.get_text("mode"))
    ),
    "degree": lambda d, choice: count_fifths(choice) == _find_degree(d),
    "chord_notes": lambda d, choice: _parse_notes(choice) == _spell_chord(d.get_text("chord")),
    "chord_name": lambda d, choice: _parse_notes(d.get_text("notes")) == _spell_chord(choice),
}


def _find_pitch_classes(name: str, choice: str) -> frozenset[int] | None:
    """Return the pitch classes that an option names; None where it names none."""
    if name in {"note_above", "note_below", "degree", "chord_notes"}:
        return frozenset(map(find_pitch_class, _parse_notes(choice)))
    return frozenset(map(find_pitch_class, _spell_chord(choice))) if name == "chord_name" else None


def find_right_choices(derivation: Derivation, choices: tuple[str, ...]) -> list[str]:
    """Return the options that are right, and those that sound like a right one."""
    name = derivation.name
    right = [choice for choice in choices if HOLDS[name](derivation, choice)]
    sounds = {_find_pitch_classes(name, choice) for choice in right} - {None}
    return [choice for choice in choices if choice in right or _find_pitch_classes(name, choice) in sounds]
