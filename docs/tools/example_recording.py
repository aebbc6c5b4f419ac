"""Make the example recording of the web page: `python docs/tools/example_recording.py services/web/example.mp3`.

Two synthesised voices and four strokes of a bell, with words, speakers and sounds to hear; needs espeak-ng.
"""

import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import resample_poly

from eval.page.audio import encode_mp3
from services.types import SAMPLE_RATE, AudioClip

START_S, GAP_S, STROKE_S, RINGING_S = 0.4, 0.3, 0.55, 2.0
CHIME_HZ = (659.3, 523.3, 587.3, 392.0)
PARTIALS = ((1.0, 1.0, 1.0), (2.0, 0.6, 0.8), (2.76, 0.45, 0.55), (5.4, 0.25, 0.35), (8.93, 0.12, 0.2))
"""Of a bell: frequency, level and length, as shares of the first's."""

Floats = NDArray[np.float64]


class Line(NamedTuple):
    """What a voice says."""

    voice: str
    words_per_minute: int
    pitch: int
    speed: int
    """Percent: above 100, the sound is played faster, so that the voice is higher."""
    text: str


LINES = (
    Line("en-us", 130, 35, 88, "Good morning. Is this the right platform for the train to London?"),
    Line("en-gb+f2", 125, 60, 122, "No. That train leaves from platform four, at half past nine."),
)


def main(out: Path) -> None:
    """Write the recording."""
    sounds: list[tuple[float, Floats]] = []
    at_s = START_S
    for line in LINES:
        voice = speak(line)
        sounds.append((at_s, voice))
        at_s += len(voice) / SAMPLE_RATE + GAP_S
    sounds += [(at_s + number * STROKE_S, strike(hz)) for number, hz in enumerate(CHIME_HZ)]
    samples = np.random.default_rng(7).normal(0, 0.0008, round((at_s + 3 * STROKE_S + RINGING_S) * SAMPLE_RATE))
    for start_s, sound in sounds:
        start = round(start_s * SAMPLE_RATE)
        samples[start : start + len(sound)] += sound[: len(samples) - start]
    out.write_bytes(encode_mp3(AudioClip(samples.astype(np.float32))))


def speak(line: Line) -> Floats:
    """Return what a voice says at `SAMPLE_RATE`, shape (num_samples,)."""
    settings = ["-v", line.voice, "-s", str(line.words_per_minute), "-p", str(line.pitch)]
    said = subprocess.run(["espeak-ng", *settings, "--stdout", line.text], check=True, capture_output=True)  # noqa: S603, S607 - our own words
    samples, rate = soundfile.read(BytesIO(said.stdout))
    samples = resample_poly(samples, SAMPLE_RATE * 100, rate * line.speed)
    spoken: Floats = 0.7 * samples / np.abs(samples).max()
    return spoken


def strike(hz: float) -> Floats:
    """Return one stroke of a bell, shape (num_samples,)."""
    seconds = np.arange(round(2.2 * SAMPLE_RATE)) / SAMPLE_RATE
    partials = [
        level * np.sin(2 * np.pi * hz * times * seconds) * np.exp(-seconds / length)
        for times, level, length in PARTIALS
    ]
    stroke: Floats = 0.16 * np.sum(partials, axis=0) * np.minimum(1, seconds / 0.004)
    return stroke


if __name__ == "__main__":
    main(Path(sys.argv[1]))
