"""Polyphonic transcription by Spotify's Basic Pitch: the probability of each of the 88 piano pitches over time.

The model is not specific to an instrument (Bittner et al., ICASSP 2022, arXiv:2203.09893).
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from services.captioners.frames import Floats
from services.captioners.onnx_session import open_session
from services.types import SAMPLE_RATE

MODEL_RATE = 22_050  # Hz
FRAME_HOP = 256  # samples at MODEL_RATE
FRAMES_PER_S = MODEL_RATE / FRAME_HOP
WINDOW_SAMPLES = 43_844
WINDOW_FRAMES = 172
MARGIN_FRAMES = 30  # at both ends of a window, where the model has too little context
KEPT_FRAMES = WINDOW_FRAMES - 2 * MARGIN_FRAMES
LOWEST_PITCH = 21  # MIDI number of the first column, A0
SILENCE = 10**-4.5  # of the highest power: 45 dB below it
BATCH = 4  # windows per run of the model: bounds the memory of a long clip


class Pitches(NamedTuple):
    """Probabilities per frame and pitch; both of shape (num_frames, 88)."""

    sounding: Floats
    starting: Floats


class BasicPitch:
    """The opened model."""

    def __init__(self, folder: Path) -> None:
        self._session = open_session(folder / "nmp.onnx")
        self._input = self._session.get_inputs()[0].name

    def __call__(self, samples: Floats) -> Pitches:
        """Transcribe samples at 16 kHz, shape (num_samples,)."""
        audio = soxr.resample(samples, SAMPLE_RATE, MODEL_RATE)
        num_frames = len(audio) // FRAME_HOP + 1
        num_windows = -(-num_frames // KEPT_FRAMES)
        padded = np.zeros((num_windows - 1) * KEPT_FRAMES * FRAME_HOP + WINDOW_SAMPLES, np.float32)
        before = MARGIN_FRAMES * FRAME_HOP
        kept = min(len(audio), len(padded) - before)
        padded[before : before + kept] = audio[:kept]
        windows = np.lib.stride_tricks.sliding_window_view(padded, WINDOW_SAMPLES)[:: KEPT_FRAMES * FRAME_HOP]
        runs = [self._run(windows[i : i + BATCH]) for i in range(0, len(windows), BATCH)]
        sounding, starting = (np.concatenate(part).reshape(-1, 88)[:num_frames] for part in zip(*runs, strict=True))
        heard = _mark_audible(audio, num_frames)
        return Pitches(sounding * heard, starting * heard)

    def _run(self, windows: Floats) -> tuple[Floats, Floats]:
        outputs = ["StatefulPartitionedCall:1", "StatefulPartitionedCall:2"]
        note, onset = self._session.run(outputs, {self._input: np.ascontiguousarray(windows[:, :, None])})
        inner = slice(MARGIN_FRAMES, WINDOW_FRAMES - MARGIN_FRAMES)
        return note[:, inner], onset[:, inner]


def _mark_audible(audio: Floats, num_frames: int) -> Floats:
    """Mark the frames that are not silent, shape (num_frames, 1): the model normalises even a silent window."""
    framed = np.zeros(num_frames * FRAME_HOP, np.float32)
    framed[: len(audio)] = audio[: len(framed)]
    power = (framed.reshape(num_frames, FRAME_HOP) ** 2).mean(axis=1)
    smooth = np.convolve(power, np.ones(5) / 5)[2 : 2 + num_frames]  # of a few frames, mode "same" would make five
    heard: Floats = (smooth > SILENCE * smooth.max(initial=0.0)).astype(np.float32)[:, None]
    return heard
