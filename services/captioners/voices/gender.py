"""Gender classification of a voice by the CNN of inaSpeechSegmenter (Doukhan et al., ICASSP 2018, MIT)."""

from pathlib import Path

import numpy as np

from services.captioners.onnx_session import open_session
from services.captioners.sounds.activity import Floats
from services.types import SAMPLE_RATE

PATCH_FRAMES = 68  # 0.68 s
NUM_MELS = 24
FRAME_SAMPLES, FRAME_HOP, FFT_SIZE = 400, 160, 512
PRE_EMPHASIS = 0.97
MOST_PATCHES = 12  # spread evenly over the voice: more change nothing but the time


class GenderNet:
    """The opened model."""

    def __init__(self, folder: Path) -> None:
        self._session = open_session(folder / "male_female.onnx")

    def estimate_female(self, voice: Floats) -> float:
        """Return the probability that this voice at 16 kHz is a woman's; shorter than 0.7 s is looped."""
        least = FRAME_SAMPLES + (PATCH_FRAMES - 1) * FRAME_HOP
        mels = compute_log_mel(np.resize(voice, max(len(voice), least)))
        starts = np.unique(np.linspace(0, len(mels) - PATCH_FRAMES, MOST_PATCHES).astype(int))
        patches = np.stack([mels[start : start + PATCH_FRAMES] for start in starts])
        spread = patches.std(axis=(1, 2), keepdims=True)
        normal = (patches - patches.mean(axis=(1, 2), keepdims=True)) / np.maximum(spread, 1e-6)
        (probabilities,) = self._session.run(None, {"patches": normal[:, None].astype(np.float32)})
        return float(probabilities[:, 0].mean())


def compute_log_mel(samples: Floats) -> Floats:
    """Return the log-mel energies that the network was trained on, shape (num_frames, 24), 10 ms a frame."""
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME_SAMPLES)[::FRAME_HOP]
    emphasised = frames - PRE_EMPHASIS * np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    power = np.abs(np.fft.rfft(emphasised * np.hanning(FRAME_SAMPLES), FFT_SIZE)) ** 2
    return np.asarray(np.log(np.maximum(power @ _MEL_FILTERS, 1e-14)), np.float32)


def _make_mel_filters() -> Floats:
    """Return the triangles of SIDEKIT, which leaves out the last bin of each: shape (num_bins, 24)."""
    edges_mel = np.linspace(2595 * np.log10(1 + 100 / 700), 2595 * np.log10(1 + 8000 / 700), NUM_MELS + 2)
    edges_hz = 700 * (10 ** (edges_mel / 2595) - 1)
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
