"""How exactly the captioner places continuous sounds in time, on sounds made here.

    python -m benchmarks.ears.places

Two to four sounds follow one another: tones, buzzes and noises of three colours, 1 to 4 s each, at levels up to 30 dB
apart, some with silence between them. Prints how many have a stretch of their own whose begin and end are right, and
how many further stretches are found. A few seconds of CPU.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.captioners.sounds.activity import ActiveSpan
from services.captioners.sounds.changes import find_regions
from services.types import SAMPLE_RATE

Floats = NDArray[np.float64]
Maker = Callable[[np.random.Generator, int], Floats]

NEAR_S = 0.1  # that a begin or an end may be off
LOUDEST_DB, QUIETEST_DB, MOST_APART_DB = -12.0, -50.0, 30.0
FADE_S = 0.02


class Sequence(NamedTuple):
    """Sounds that follow one another, and where each lies."""

    samples: NDArray[np.float32]
    spans: tuple[ActiveSpan, ...]


class Score(NamedTuple):
    """What became of the sounds of some sequences."""

    num_sounds: int
    num_placed: int
    num_surplus: int


def make_tone(rng: np.random.Generator, size: int) -> Floats:
    """Return a sine of 150 to 3,000 Hz."""
    return np.sin(2 * np.pi * 150 * 20 ** rng.random() * np.arange(size) / SAMPLE_RATE)


def make_buzz(rng: np.random.Generator, size: int) -> Floats:
    """Return thirty harmonics of 40 to 120 Hz, as of an engine or a hum."""
    phases = 2 * np.pi * rng.uniform(40, 120) * np.arange(size) / SAMPLE_RATE
    return np.asarray(sum(np.sin(number * phases + rng.uniform(0, 6)) / number for number in range(1, 31)))


def make_noise(rng: np.random.Generator, size: int, slope: float) -> Floats:
    """Return noise whose amplitude falls with this power of the frequency: 0 white, 0.5 pink, 1 brown."""
    spectrum = np.fft.rfft(rng.standard_normal(size))
    frequencies = np.fft.rfftfreq(size, 1 / SAMPLE_RATE)
    return np.fft.irfft(spectrum / np.maximum(frequencies, 40) ** slope, size)


MAKERS: Mapping[str, Maker] = {
    "tone": make_tone,
    "buzz": make_buzz,
    "white noise": lambda rng, size: make_noise(rng, size, 0.0),
    "pink noise": lambda rng, size: make_noise(rng, size, 0.5),
    "brown noise": lambda rng, size: make_noise(rng, size, 1.0),
}


def compose_sequence(rng: np.random.Generator, *, has_pauses: bool) -> Sequence:
    """Compose two to four sounds, neighbours of different kinds."""
    loudest_db = rng.uniform(QUIETEST_DB + MOST_APART_DB, LOUDEST_DB)
    parts, spans = list[Floats](), list[ActiveSpan]()
    kind, time_s = "", 0.0
    for _ in range(int(rng.integers(2, 5))):
        if parts and has_pauses:
            pause = np.zeros(round(rng.uniform(0.3, 2.0) * SAMPLE_RATE))
            parts.append(pause)
            time_s += len(pause) / SAMPLE_RATE
        kind = str(rng.choice([name for name in MAKERS if name != kind]))
        sound = MAKERS[kind](rng, round(rng.uniform(1, 4) * SAMPLE_RATE))
        level_db = loudest_db - rng.uniform(0, MOST_APART_DB)
        parts.append(_fade(sound * 10 ** (level_db / 20) / sound.std()))
        spans.append(ActiveSpan(time_s, time_s + len(sound) / SAMPLE_RATE))
        time_s = spans[-1].end_s
    return Sequence(np.concatenate(parts).astype(np.float32), tuple(spans))


def _fade(samples: Floats) -> Floats:
    ramp = np.minimum(1, np.arange(len(samples)) / (FADE_S * SAMPLE_RATE))
    return samples * ramp * ramp[::-1]


def score_places(sequences: list[Sequence]) -> Score:
    """Compare the stretches that are found with those that there are."""
    num_sounds = num_placed = num_found = 0
    for sequence in sequences:
        found = [ActiveSpan(one.spans[0].start_s, one.spans[-1].end_s) for one in find_regions(sequence.samples)]
        num_placed += sum(any(_is_near(one, span) for one in found) for span in sequence.spans)
        num_sounds, num_found = num_sounds + len(sequence.spans), num_found + len(found)
    return Score(num_sounds, num_placed, num_found - num_placed)


def _is_near(found: ActiveSpan, truth: ActiveSpan) -> bool:
    return max(abs(found.start_s - truth.start_s), abs(found.end_s - truth.end_s)) <= NEAR_S


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=100, help="sequences of each sort")
    number = parser.parse_args().number
    rng = np.random.default_rng(11)
    print("| sounds | n | placed within 0.1 s | further stretches |\n|---|---|---|---|")
    for has_pauses, what in ((False, "one right after the other"), (True, "with 0.3 to 2 s of silence between them")):
        score = score_places([compose_sequence(rng, has_pauses=has_pauses) for _ in range(number)])
        print(f"| {what} | {score.num_sounds} | {score.num_placed / score.num_sounds:.0%} | {score.num_surplus} |")


if __name__ == "__main__":
    main()
