"""Notes and pitches: MIDI numbers, their names and intervals, and the parsing of pitch names in text."""

import re
from typing import NamedTuple

OVERTONES = (12, 19, 24, 28, 31, 34, 36)  # semitones above the fundamental
NAMES = ("C", "C sharp", "D", "E flat", "E", "F", "F sharp", "G", "A flat", "A", "B flat", "B")
CLASSES = {"c": 0, "d": 2, "e": 4, "f": 5, "g": 7, "a": 9, "b": 11}
MODES = {"m": "minor", "min": "minor", "M": "major", "maj": "major"}
MODES |= {"dim": "diminished", "aug": "augmented", "sus": "suspended"}
INTERVALS = (
    "unison",
    "minor second",
    "major second",
    "minor third",
    "major third",
    "perfect fourth",
    "tritone (augmented fourth)",
    "perfect fifth",
    "minor sixth",
    "major sixth",
    "minor seventh",
    "major seventh",
)
STEPS = {1: ", a half step", 2: ", a whole tone or whole step"}
"""Semitones -> name of the interval as a step of a scale, appended to its other name."""
SHARP = re.compile(r"(?<!\w)([A-Ga-g])(?:\s*[#♯]|[\s\-‐‑]*(?i:sharp)\b)")
FLAT = re.compile(r"(?<!\w)([A-Ga-g])(?:\s*♭|[\s\-‐‑]*(?i:flat)\b)")
NAMED = re.compile(
    r"(?<!\w)(?P<letter>[A-Ga-g])(?P<sign>[#b]?)(?P<octave>\d?)"
    r"(?:[\s\-‐‑]*(?:(?:natural|harmonic|melodic)\s+)?"
    r"(?P<mode>(?i:maj(?:or)?|min(?:or)?|dim(?:inished)?|aug(?:mented)?|sus(?:pended)?|dominant)|[mM])"
    r"(?P<seventh>\s*(?:seventh|7))?)?(?![\w#])"
)
FILLER = re.compile(
    r"(?i:\b(?:the|key|of|in|it|is|note|pitch|chord)\b)|[\W\d_]+"
)  # among these alone, a single letter is a name


class NamedPitch(NamedTuple):
    """A pitch, key or chord as a text names it: C sharp, C# and D flat are one."""

    pitch_class: int
    """0 is C."""
    octave: int | None
    mode: str | None
    """Such as minor, or major seventh; None where none is named."""

    def measure_likeness(self, other: "NamedPitch") -> float:
        """Return 1 where both are equal, 0 where they differ, and half as much for each thing that only one names."""
        if self.pitch_class != other.pitch_class:
            return 0.0
        pairs = ((self.octave, other.octave), (self.mode, other.mode))
        if any(None not in pair and pair[0] != pair[1] for pair in pairs):
            return 0.0
        return 0.5 ** sum(one != another for one, another in pairs)


class DetectedNote(NamedTuple):
    """A transcribed note: pitch, onset, offset and strength."""

    start_s: float
    end_s: float
    pitch: int
    """MIDI number; 60 is C4."""
    strength: float
    """Mean probability of sounding, in [0, 1]."""

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return self.end_s - self.start_s


def name_pitch(pitch: int) -> str:
    """Return the name of a MIDI pitch with its octave, such as C4."""
    return f"{NAMES[pitch % 12]}{pitch // 12 - 1}".replace(" sharp", "#").replace(" flat", "b")


def name_interval(semitones: int) -> str:
    """Return the name of an interval, such as perfect fifth (7 semitones), or octave and a third if compound."""
    octaves, rest = divmod(abs(semitones), 12)
    wide = "octave" if octaves == 1 else f"{octaves} octaves"
    name = wide if octaves and not rest else f"{wide} and a {INTERVALS[rest]}" if octaves else INTERVALS[rest]
    step = STEPS.get(abs(semitones), "")
    return f"{name} ({abs(semitones)} semitone{'' if abs(semitones) == 1 else 's'}{step})"


def pitch_to_hz(pitch: int) -> float:
    """Return the frequency of a MIDI pitch in Hz."""
    return float(440 * 2 ** ((pitch - 69) / 12))


def parse_pitches(text: str) -> tuple[NamedPitch, ...]:
    """Return the pitches, keys or chords that a text names, in order; consecutive names of the same one are merged.

    A single letter counts only in a text of nothing but names, because "a" may be the article.
    """
    written = FLAT.sub(r"\1b", SHARP.sub(r"\1#", text))
    is_bare = not FILLER.sub("", NAMED.sub("", written))
    found: list[NamedPitch] = []
    for match in NAMED.finditer(written):
        is_article = match["letter"] == "a" and not match["sign"] and not match["octave"]
        if is_bare or ((match["sign"] or match["octave"] or match["mode"]) and not is_article):
            one = _read_pitch(match)
            if found and found[-1].measure_likeness(one):
                one = max(found.pop(), one, key=lambda pitch: (pitch.mode is not None, pitch.octave is not None))
            found.append(one)
    return tuple(found)


def _read_pitch(match: re.Match[str]) -> NamedPitch:
    shift = {"#": 1, "b": -1, "": 0}[match["sign"]]
    mode = match["mode"] and MODES.get(match["mode"], MODES.get(match["mode"].lower(), match["mode"].lower()))
    octave = int(match["octave"]) if match["octave"] else None
    seventh = " seventh" if match["seventh"] else ""
    pitch_class = (CLASSES[match["letter"].lower()] + shift) % 12
    return NamedPitch(pitch_class, octave, f"{mode}{seventh}" if mode else None)
