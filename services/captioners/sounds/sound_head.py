"""Linear probe on YAMNet's embedding: a second classifier of ten everyday sounds, also under speech.

YAMNet alone takes many fires for rain or pattering, and detects little behind a voice. Fitted by
`benchmarks/sounds/fit.py` on ESC-10 (CC BY 3.0), alone and mixed with LibriSpeech (CC BY 4.0).
"""

from collections.abc import Mapping

import numpy as np

from services.captioners.frames import Floats
from services.captioners.head import read_head
from services.captioners.sounds.tags import map_phrases, pool_logits
from services.captioners.sounds.yamnet import ClassScores

FILE = "sound_head.safetensors"
MAX_LOGIT = 4.0  # the layer was fitted on too few sounds for more confidence


class SoundHead:
    """The fitted layer; `labels` are the phrases of `sounds.json` that it knows."""

    def __init__(self, class_names: tuple[str, ...]) -> None:
        self.labels, self._tensors = read_head(__package__, FILE)
        self._classes = tuple(map_phrases(class_names)[label] for label in self.labels)

    def __call__(self, scores: ClassScores) -> Mapping[str, float]:
        """Return label -> logit, pooled over the patches as the tags are."""
        layer = self._tensors
        inputs = (extract_features(scores, self._classes) - layer["mean"]) / layer["scale"]
        logits = pool_logits((inputs @ layer["weight"].T + layer["bias"]).astype(np.float32))
        return dict(zip(self.labels, np.minimum(logits, MAX_LOGIT).tolist(), strict=True))


def extract_features(scores: ClassScores, classes: tuple[tuple[int, ...], ...]) -> Floats:
    """Return the features of each patch, the embedding and YAMNet's own logits: (num_patches, 1024 + num_labels)."""
    own = [scores.logits[:, list(indices)].max(axis=1) for indices in classes]
    return np.concatenate([np.log1p(scores.embeddings), np.stack(own, axis=1) / 4], axis=1)
