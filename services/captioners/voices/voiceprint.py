"""Speaker embeddings: the GE2E voice encoder (Wan et al., arXiv:1710.10467; Resemblyzer)."""

from pathlib import Path

import numpy as np

from services.captioners.frames import Floats, cut_frames
from services.captioners.mel import make_mel_filters
from services.captioners.onnx_session import open_session
from services.types import SAMPLE_RATE

WINDOW_S = 1.6  # what the encoder was trained on
FRAME_SAMPLES, FRAME_HOP = 400, 160
NUM_MELS = 40
LEVEL_DB = -30.0  # dBFS; quieter voices are amplified to it
BATCH = 64  # windows per run of the model


class VoiceEncoder:
    """The opened encoder."""

    def __init__(self, folder: Path) -> None:
        self._session = open_session(folder / "voice.onnx")

    def __call__(self, windows: list[Floats]) -> Floats:
        """Return one embedding of length 1 per window of speech at 16 kHz, shape (num_windows, 256).

        Windows shorter than `WINDOW_S` are looped.
        """
        size = round(WINDOW_S * SAMPLE_RATE)
        mels = np.stack([compute_mel(np.resize(_raise_level(window), size)) for window in windows])
        runs = [self._session.run(None, {"mels": mels[i : i + BATCH]})[0] for i in range(0, len(mels), BATCH)]
        return np.concatenate(runs)


def compute_mel(samples: Floats) -> Floats:
    """Return the mel power spectrogram that the encoder was trained on, shape (num_frames, 40)."""
    padded = np.pad(samples, FRAME_SAMPLES // 2)
    frames = cut_frames(padded, FRAME_SAMPLES, FRAME_HOP)
    power = np.abs(np.fft.rfft(frames * _WINDOW)) ** 2
    return np.asarray(power @ _MEL_FILTERS, np.float32)


def _raise_level(voice: Floats) -> Floats:
    level_db = 10 * np.log10(np.mean(voice.astype(np.float64) ** 2) + 1e-12)
    return voice * np.float32(10 ** (max(0.0, LEVEL_DB - level_db) / 20))


_MEL_FILTERS = make_mel_filters(FRAME_SAMPLES, NUM_MELS)
_WINDOW = np.hanning(FRAME_SAMPLES + 1)[:-1].astype(np.float32)
