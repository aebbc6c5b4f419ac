"""Gender classification of a voice by the CNN of inaSpeechSegmenter (Doukhan et al., ICASSP 2018, MIT)."""

from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from services.captioners.frames import Floats, cut_frames
from services.captioners.mel import space_on_mel_scale
from services.captioners.onnx_session import open_session
from services.types import SAMPLE_RATE

SpeakerKind: TypeAlias = Literal["a man", "a woman", "a child"]
"""What a voice is classified as."""

PATCH_FRAMES = 68  # 0.68 s
NUM_MELS, LOWEST_HZ, HIGHEST_HZ = 24, 100.0, 8000.0
FRAME_SAMPLES, FRAME_HOP, FFT_SIZE = 400, 160, 512
PRE_EMPHASIS = 0.97
MAX_PATCHES = 12  # spread evenly over the voice: more take time and change nothing


class GenderNet:
    """The opened classifier."""

    def __init__(self, folder: Path) -> None:
        self._session = open_session(folder / "male_female.onnx")

    def estimate_female(self, voice: Floats) -> float:
        """Return the probability that a voice is a woman's.

        Args:
            voice: speech at 16 kHz, shape (num_samples,); shorter than 0.7 s it is looped.
        """
        least = FRAME_SAMPLES + (PATCH_FRAMES - 1) * FRAME_HOP
        mels = compute_log_mel(np.resize(voice, max(len(voice), least)))
        starts = np.unique(np.linspace(0, len(mels) - PATCH_FRAMES, MAX_PATCHES).astype(int))
        patches = np.stack([mels[start : start + PATCH_FRAMES] for start in starts])
        spread = patches.std(axis=(1, 2), keepdims=True)
        normal = (patches - patches.mean(axis=(1, 2), keepdims=True)) / np.maximum(spread, 1e-6)
        (probabilities,) = self._session.run(None, {"patches": normal[:, None].astype(np.float32)})
        return float(probabilities[:, 0].mean())


def compute_log_mel(samples: Floats) -> Floats:
    """Return the log-mel energies that the network was trained on, shape (num_frames, 24), 10 ms a frame."""
    frames = cut_frames(samples, FRAME_SAMPLES, FRAME_HOP)
    emphasised = frames - PRE_EMPHASIS * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft(emphasised * np.hanning(FRAME_SAMPLES), FFT_SIZE)) ** 2
    return np.asarray(np.log(np.maximum(power @ _MEL_FILTERS, 1e-14)), np.float32)


def _make_mel_filters() -> Floats:
    """Return the triangular filters of SIDEKIT, which leaves out the last bin of each: shape (num_bins, 24)."""
    edges_hz = space_on_mel_scale(LOWEST_HZ, HIGHEST_HZ, NUM_MELS + 2)
    bins_hz = np.arange(FFT_SIZE // 2 + 1) * SAMPLE_RATE / FFT_SIZE
    filters = np.zeros((len(bins_hz), NUM_MELS))
    for index, (low, centre, high) in enumerate(zip(edges_hz, edges_hz[1:], edges_hz[2:], strict=False)):
        height = 2 / (high - low)
        rising = (bins_hz > low) & (bins_hz <= centre)
        falling = (bins_hz > centre) & (bins_hz <= high)
        falling[np.flatnonzero(falling)[-1:]] = False
        filters[rising, index] = height * (bins_hz[rising] - low) / (centre - low)
        filters[falling, index] = height * (high - bins_hz[falling]) / (high - centre)
    return filters.astype(np.float32)


_MEL_FILTERS = _make_mel_filters()
