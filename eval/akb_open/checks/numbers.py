"""Answer verification for numbers: each is computed again from the question, and not by the generator's code."""

import math
from collections.abc import Callable, Mapping
from fractions import Fraction

from eval.akb_open.checks.notes import count_fifths, find_pitch_class
from eval.akb_open.quantity import read_quantity
from eval.akb_open.row import Derivation

ORDER = ("zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
NOTE_LENGTHS = {"whole": 1, "half": 2, "quarter": 4, "eighth": 8, "sixteenth": 16, "thirty-second": 32}
OCTAVES = {"one octave": 1, "two octaves": 2, "three octaves": 3}
LOOSE = {"dynamic_range": 0.05, "more_bits": 0.01}
"""Decibels by which the rounded rule 6.02 N + 1.76 misses the exact value."""
A4_MIDI, A4_HZ = 69, 440


class Given:
    """The inputs of a calculation, read from their words."""

    def __init__(self, derivation: Derivation) -> None:
        self._derivation = derivation

    def __call__(self, name: str) -> float:
        """Return an input in basic units."""
        found = read_quantity(self._derivation.get_text(name))
        assert found is not None, self._derivation.get_text(name)
        return found.value

    def get_text(self, name: str) -> str:
        """Return an input as it is worded."""
        return self._derivation.get_text(name)


Truth = Callable[[Given], float]


def _sum_powers(*levels: float) -> float:
    return 10 * math.log10(math.fsum(math.pow(10, level / 10) for level in levels))


def _compute_rms_of_sine(peak: float, num_points: int = 720) -> float:
    return math.sqrt(
        math.fsum((peak * math.sin(2 * math.pi * n / num_points)) ** 2 for n in range(num_points)) / num_points
    )


def _count_frames(given: Given) -> float:
    total, window, hop = (round(given("rate") * given(name)) for name in ("span", "window", "hop"))
    return sum(1 for start in range(0, total, hop) if start + window <= total)


def _parse_midi(pitch: str) -> int:
    note, _, octave = pitch.partition(", octave ")
    return 12 * (int(octave) + 1) + find_pitch_class(count_fifths(note))


def _parse_metre(given: Given) -> Fraction:
    beats, unit = given.get_text("metre").split("/")
    return Fraction(int(beats), int(unit))


def _compute_note_ratio(given: Given, dots: Fraction = Fraction(1)) -> float:
    return float(Fraction(NOTE_LENGTHS[given.get_text("small")], NOTE_LENGTHS[given.get_text("large")]) * dots)


def _double_repeatedly(value: float, times: int) -> float:
    return value if not times else _double_repeatedly(value + value, times - 1)


def _fold(tone: float, rate: float) -> float:
    rest = math.fmod(tone, rate)
    return min(rest, rate - rest)


TRUTHS: Mapping[str, Truth] = {
    "level_at_distance": lambda g: g("level") + 10 * math.log10((g("near") / g("far")) ** 2),
    "equal_sources": lambda g: _sum_powers(*[g("level")] * int(g("count"))),
    "distance_for_drop": lambda g: g("near") / math.pow(10, -g("drop") / 20),
    "echo_distance": lambda g: g("speed") * (g("delay") / 2),
    "echo_delay": lambda g: (g("far") + g("far")) / g("speed"),
    "thunder": lambda g: g("speed") * g("delay"),
    "path_difference": lambda g: g("far") / g("speed") - g("near") / g("speed"),
    "words_per_minute": lambda g: g("words") / g("span"),
    "articulation_rate": lambda g: g("syllables") / (g("span") - g("pause")),
    "pause_share": lambda g: g("pause") / g("span"),
    "reading_time": lambda g: g("words") / g("rate"),
    "voice_pitch": lambda g: 1 / g("period"),
    "pitch_range": lambda g: 12 * math.log(g("high") / g("low")) / math.log(2),
    "jitter": lambda g: g("change") / g("mean"),
    "voice_cycles": lambda g: g("pitch") * g("span"),
    "frequency": lambda g: A4_HZ * math.exp(math.log(2) * (_parse_midi(g.get_text("pitch")) - A4_MIDI) / 12),
    "midi": lambda g: _parse_midi(g.get_text("pitch")),
    "octaves": lambda g: _double_repeatedly(g("base"), OCTAVES[g.get_text("octaves")]),
    "beat": lambda g: 1 / g("tempo"),
    "bars": lambda g: g("bars") * g("per_bar") / g("tempo"),
    "beats": lambda g: g("span") * g("tempo"),
    "tempo": lambda g: 1 / g("length"),
    "note_values": _compute_note_ratio,
    "dotted": lambda g: _compute_note_ratio(g, Fraction(3, 2)),
    "bar_values": lambda g: float(_parse_metre(g) * NOTE_LENGTHS[g.get_text("small")]),
    "dynamic_range": lambda g: 20 * math.log10(2) * g("bits") + 10 * math.log10(1.5),
    "more_bits": lambda g: 20 * math.log10(2 ** g("many") / 2 ** g("few")),
    "levels": lambda g: 1 << int(g("bits")),
    "snr": lambda g: g("signal") - g("noise"),
    "snr_of_voltages": lambda g: 10 * math.log10(g("signal") ** 2 / g("noise") ** 2),
    "noise_for_snr": lambda g: g("signal") - g("snr"),
    "after_gain": lambda g: g("peak") + g("gain"),
    "overshoot": lambda g: g("peak") + g("gain"),
    "normalise": lambda g: g("target") - g("loudness"),
    "averaging": lambda g: -10 * math.log10(math.fsum([(1 / g("count")) ** 2] * int(g("count")))),
    "sum_of_noises": lambda g: _sum_powers(g("first"), g("second")),
    "coherent_sum": lambda g: 20 * math.log10(math.fsum([10 ** (g("level") / 20)] * int(g("count")))),
    "sine_rms": lambda g: _compute_rms_of_sine(g("peak")),
    "peak_to_peak": lambda g: 2 * g("rms") / _compute_rms_of_sine(1),
    "crest_factor": lambda g: g("peak") - g("rms"),
    "thd_percent": lambda g: math.sqrt(g("second") ** 2 + g("third") ** 2) / g("fundamental"),
    "distortion_db": lambda g: 10 * math.log10(1 / g("percent") ** 2),
    "sabine": lambda g: 0.161 * g("volume") / g("area"),
    "decay": lambda g: 60 / g("rate"),
    "extrapolated_decay": lambda g: g("span") * (60 / g("drop")),
    "nyquist": lambda g: g("rate") / 2,
    "least_rate": lambda g: 2 * g("top"),
    "alias": lambda g: _fold(g("tone"), g("rate")),
    "samples": lambda g: g("span") * g("rate"),
    "duration": lambda g: g("count") / g("rate"),
    "resampled": lambda g: g("count") / g("old") * g("new"),
    "bit_rate": lambda g: g("rate") * g("bits") * g("channels"),
    "file_size": lambda g: g("rate") * g("minutes"),
    "compression": lambda g: g("pcm") / g("coded"),
    "power_ratio": lambda g: 10 * math.log(g("ratio")) / math.log(10),
    "amplitude_ratio": lambda g: 10 * math.log10(g("ratio") ** 2),
    "gain_factor": lambda g: math.exp(g("gain") / 20 * math.log(10)),
    "wavelength": lambda g: g("speed") / g("tone"),
    "tone_of_wave": lambda g: g("speed") / g("length"),
    "tone_period": lambda g: 1 / g("tone"),
    "bin_spacing": lambda g: 1 / (g("size") / g("rate")),
    "bin_frequency": lambda g: g("number") / (g("size") / g("rate")),
    "num_bins": lambda g: len(range(0, int(g("size")) + 1, 2)),
    "num_frames": _count_frames,
    "slope": lambda g: ORDER.index(g.get_text("order")) * (20 if g.get_text("span") == "decade" else 6),
    "attenuation": lambda g: g("slope") * math.log2(g("tone") / g("cutoff")),
    "rc_corner": lambda g: 1 / (2 * math.pi * g("ohms") * g("farads")),
}


def find_right_choices(derivation: Derivation, choices: tuple[str, ...]) -> list[str]:
    """Return the options that are the true value as far as their digits go, or nearer to it than 0.5 %."""
    truth = TRUTHS[derivation.name](Given(derivation))
    return [choice for choice in choices if _is_right(choice, truth, LOOSE.get(derivation.name, 0))]


def _is_right(choice: str, truth: float, tolerance: float) -> bool:
    found = read_quantity(choice)
    assert found is not None, choice
    is_exact = abs(truth - round(truth)) < 1e-9
    return found.is_about(truth, tolerance) or (not is_exact and abs(found.value - truth) < 0.005 * abs(truth))
