"""Quantity parsing: numbers with their units out of questions and options, for the checker."""

import re
from collections.abc import Mapping
from typing import NamedTuple

FACTORS: Mapping[str, float] = {
    "": 1,
    "%": 0.01,
    "Hz": 1,
    "kHz": 1e3,
    "s": 1,
    "ms": 1e-3,
    "µs": 1e-6,
    "min": 60,
    "m": 1,
    "m/s": 1,
    "m²": 1,
    "m³": 1,
    "V": 1,
    "mV": 1e-3,
    "kΩ": 1e3,
    "nF": 1e-9,
    "dB": 1,
    "dBFS": 1,
    "LUFS": 1,
    "dB per octave": 1,
    "dB per decade": 1,
    "bits": 1,
    "kbit/s": 1e3,
    "MB": 8e6,  # in bits
    "to 1": 1,
    "samples": 1,
    "frames": 1,
    "channel": 1,
    "channels": 1,
    "semitones": 1,
    "beats": 1,
    "bars": 1,
    "words": 1,
    "syllables": 1,
    "beats per minute": 1 / 60,
    "words per minute": 1 / 60,
    "syllables per second": 1,
}
"""What one of each unit is in the unit without prefix, times in seconds."""


class Quantity(NamedTuple):
    """A value in basic units, and half a step of its last digit: how exactly it is given."""

    value: float
    half_step: float

    def is_about(self, truth: float, tolerance: float = 0) -> bool:
        """Tell whether the value is the truth as far as its digits go."""
        return abs(self.value - truth) <= self.half_step * 1.001 + tolerance + 1e-9 * abs(truth)


def read_quantity(text: str) -> Quantity | None:
    """Read `1,024.0 Hz` and the like; None where the text is not a quantity."""
    match = re.fullmatch(r"(-?[\d,]+)(?:\.(\d+))? ?(.*)", text)
    if match is None or match[3] not in FACTORS:
        return None
    factor = FACTORS[match[3]]
    value = float(match[1].replace(",", "") + "." + (match[2] or "0"))
    return Quantity(value * factor, 0.5 * 10 ** -len(match[2] or "") * factor)
