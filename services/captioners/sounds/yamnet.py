"""YAMNet, an audio event classifier: logits of 521 AudioSet classes for each patch of 0.96 s.

The weights are float32 (`services/weights/onnx_export.py`); a second output is the embedding before the classifier.
Source: Plakal & Ellis, https://github.com/tensorflow/models/tree/master/research/audioset/yamnet (Apache-2.0).
"""

import csv
from collections import OrderedDict
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats, cut_frames
from services.captioners.mel import space_on_mel_scale
from services.captioners.onnx_session import open_session
from services.types import SAMPLE_RATE

PATCH_FRAMES = 96
HOP_S = 0.24  # between patches; half of the original's, so that a short event is centred in some patch
PATCH_S = 0.96
FRAME_SAMPLES = 400
FRAME_HOP = 160
NUM_MELS, LOWEST_HZ, HIGHEST_HZ = 64, 125.0, 7500.0
LOG_OFFSET = 0.001
BATCH = 32  # patches per run of the model: bounds the memory of a long clip
MAX_KEPT = 2_000  # patches whose scores are cached, 6 KB each, of the latest clips and their sections


class ClassScores(NamedTuple):
    """Class logits and embeddings of YAMNet, patch by patch."""

    logits: Floats
    """Shape (num_patches, 521)."""
    embeddings: Floats
    """Shape (num_patches, 1024)."""
    centres_s: Floats
    """Middle of each patch, seconds; shape (num_patches,)."""


class YamNet:
    """The opened model, with its class names in `names` and a cache of the latest scores.

    Tagging, music analysis and follow-up questions score the same samples.
    """

    def __init__(self, folder: Path) -> None:
        self._session = open_session(folder / "yamnet.onnx")
        self.names = read_class_names(folder)
        self._recent: OrderedDict[bytes, ClassScores] = OrderedDict()
        self._lock = Lock()  # several clips are described at once

    def __call__(self, samples: Floats) -> ClassScores:
        """Score samples at 16 kHz, shape (num_samples,); a clip shorter than a patch is looped to fill one."""
        key = sha256(samples.data).digest()
        with self._lock:
            known = self._recent.pop(key, None)
        scores = self._score(samples) if known is None else known
        with self._lock:
            self._recent[key] = scores
            while len(self._recent) > 1 and sum(len(one.logits) for one in self._recent.values()) > MAX_KEPT:
                self._recent.popitem(last=False)
        return scores

    def _score(self, samples: Floats) -> ClassScores:
        hop_frames = round(HOP_S * SAMPLE_RATE / FRAME_HOP)
        mels = compute_log_mel(loop_to_patch(samples))
        patches = np.lib.stride_tricks.sliding_window_view(mels, PATCH_FRAMES, axis=0)[::hop_frames].transpose(0, 2, 1)
        runs = [
            self._session.run(["logits", "embedding"], {"audio": np.ascontiguousarray(patches[i : i + BATCH, None])})
            for i in range(0, len(patches), BATCH)
        ]
        centres_s = (np.arange(len(patches)) * HOP_S + PATCH_S / 2).astype(np.float32)
        return ClassScores(np.concatenate([r[0] for r in runs]), np.concatenate([r[1] for r in runs]), centres_s)


def read_class_names(folder: Path) -> tuple[str, ...]:
    """Read the names of the 521 classes, in the order of the logits."""
    with (folder / "yamnet_class_map.csv").open(newline="") as file:
        return tuple(row["display_name"] for row in csv.DictReader(file))


def loop_to_patch(samples: Floats) -> Floats:
    """Repeat a short sound until it fills one patch: padding with silence would change its classes."""
    least = FRAME_SAMPLES + (PATCH_FRAMES - 1) * FRAME_HOP
    if len(samples) >= least:
        return samples
    return np.tile(samples, -(-least // max(len(samples), 1)))[:least] if len(samples) else np.zeros(least, np.float32)


def compute_log_mel(samples: Floats) -> Floats:
    """Return the log-mel spectrogram that YAMNet was trained on, shape (num_frames, 64), 10 ms a frame."""
    frames = cut_frames(samples, FRAME_SAMPLES, FRAME_HOP)
    magnitude = np.abs(np.fft.rfft(frames * _WINDOW, 512)).astype(np.float32)
    return np.asarray(np.log(magnitude @ _MEL_FILTERS + LOG_OFFSET), np.float32)


def _make_mel_filters() -> Floats:
    edges_hz = space_on_mel_scale(LOWEST_HZ, HIGHEST_HZ, NUM_MELS + 2)
    slopes = edges_hz[:, None] - np.linspace(0, SAMPLE_RATE / 2, 257)[None]
    widths = np.diff(edges_hz)
    triangles = np.minimum(-slopes[:-2] / widths[:-1, None], slopes[2:] / widths[1:, None])
    return np.maximum(0, triangles).T.astype(np.float32)


_MEL_FILTERS = _make_mel_filters()
_WINDOW = np.hanning(FRAME_SAMPLES + 1)[:-1].astype(np.float32)
