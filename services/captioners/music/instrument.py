"""Instrument recognition by a small classifier on YAMNet's embedding, and the turns in which instruments play.

The classifier was fitted on notes rendered from MIT-licensed soundfonts (benchmarks/instruments/fit.py).
"""

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from services.captioners.frames import Floats
from services.captioners.head import ClassifierHead
from services.captioners.music.families import read_families
from services.captioners.music.viterbi import find_best_path
from services.captioners.sounds.yamnet import (
    FRAME_HOP,
    HOP_S,
    PATCH_FRAMES,
    PATCH_S,
    ClassScores,
    compute_log_mel,
    loop_to_patch,
)
from services.types import SAMPLE_RATE

HEAD = "instrument.safetensors"
ENVELOPE_POINTS = 16
NO_INSTRUMENT = "no instrument"
CHANGE_COST = 5.0  # nepers, of a change of instrument in Viterbi decoding
SHORTEST_S = 0.7  # of a turn
PERCUSSIVE = ("drums", "cymbals", "hand drums (such as conga, bongos, tabla, djembe, darbuka)", "small percussion")


class InstrumentScore(NamedTuple):
    """An instrument or family and its probability."""

    label: str
    probability: float


class InstrumentTurn(NamedTuple):
    """A span of time in which one instrument plays."""

    label: str
    start_s: float
    end_s: float
    probability: float


class InstrumentHead:
    """The instrument classifier: one hidden layer on YAMNet's embedding and the spectrum."""

    def __init__(self) -> None:
        self._classifier = ClassifierHead(__package__, HEAD)
        self.labels = self._classifier.labels

    def __call__(self, samples: Floats, scores: ClassScores) -> Floats:
        """Return log-probabilities of samples at 16 kHz and their YAMNet scores, shape (num_patches, num_labels)."""
        return self._classifier(extract_features(samples, scores.embeddings))


def extract_features(samples: Floats, embeddings: Floats) -> Floats:
    """Return the features of each patch: embedding, mean and spread of the spectrum, envelope.

    Args:
        samples: 16 kHz, shape (num_samples,).
        embeddings: YAMNet's, shape (num_patches, 1024).

    Returns:
        Shape (num_patches, 1024 + 2 * 64 + ENVELOPE_POINTS).
    """
    mels = compute_log_mel(loop_to_patch(samples))
    hop = round(HOP_S * SAMPLE_RATE / FRAME_HOP)
    patches = np.lib.stride_tricks.sliding_window_view(mels, PATCH_FRAMES, axis=0)[::hop].transpose(0, 2, 1)
    average = patches.mean(axis=1)
    shape = average - average.mean(axis=1, keepdims=True)
    envelope = patches.mean(axis=2).reshape(len(patches), ENVELOPE_POINTS, -1).mean(axis=2)
    envelope = envelope - envelope.max(axis=1, keepdims=True)
    return np.concatenate([np.log1p(embeddings), shape, patches.std(axis=1), envelope], axis=1)


def pool_over_clip(samples: Floats, logs: Floats) -> Floats:
    """Return the probability of each label over the clip, shape (num_labels,); patches are weighted by their loudness.

    Args:
        samples: 16 kHz, shape (num_samples,).
        logs: log-probabilities, shape (num_patches, num_labels).
    """
    loud = np.array([_measure_loudness(samples, index) for index in range(len(logs))])
    mean = (logs * (loud / loud.sum())[:, None]).sum(axis=0)
    likely = np.exp(mean - mean.max())
    return np.asarray(likely / likely.sum(), np.float32)


def _measure_loudness(samples: Floats, index: int) -> float:
    start = round(index * HOP_S * SAMPLE_RATE)
    patch = samples[start : start + PATCH_FRAMES * FRAME_HOP]
    return float(np.sqrt(np.mean(patch**2))) + 1e-6 if len(patch) else 1e-6


def rank_instruments(probabilities: Floats, labels: tuple[str, ...]) -> list[InstrumentScore]:
    """Return the labels, most likely first."""
    return [InstrumentScore(labels[i], float(probabilities[i])) for i in np.argsort(-probabilities)]


def rank_families(probabilities: Floats, labels: tuple[str, ...]) -> list[InstrumentScore]:
    """Return the families, most likely first."""
    sums = {
        family: float(sum(probabilities[labels.index(label)] for label in members if label in labels))
        for family, members in read_families().items()
    }
    return [InstrumentScore(family, sums[family]) for family in sorted(sums, key=lambda name: -sums[name])]


def find_turns(logs: Floats, labels: tuple[str, ...]) -> tuple[InstrumentTurn, ...]:
    """Return the turns of the instruments by Viterbi decoding of log-probabilities, shape (num_patches, num_labels)."""
    path = find_best_path(logs, CHANGE_COST)
    edges = np.flatnonzero(np.diff(path, prepend=-1, append=-1))
    found = [_make_turn(logs, labels, first, last) for first, last in pairwise(edges.tolist())]
    return tuple(turn for turn in found if turn.end_s - turn.start_s >= SHORTEST_S and turn.label != NO_INSTRUMENT)


def _make_turn(logs: Floats, labels: tuple[str, ...], first: int, last: int) -> InstrumentTurn:
    mean = logs[first:last].mean(axis=0)
    likely = np.exp(mean - mean.max())
    best = int(mean.argmax())
    start_s = first * HOP_S + (0.5 * PATCH_S if first else 0.0)
    end_s = (
        (last - 1) * HOP_S + (PATCH_S if last == len(logs) else 0.5 * PATCH_S) + (0.0 if last == len(logs) else HOP_S)
    )
    return InstrumentTurn(labels[best], start_s, end_s, float(likely[best] / likely.sum()))
