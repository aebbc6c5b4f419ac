"""Contrastive linear probe between sounds and texts (Ngo & Kim 2024, arXiv:2402.16998).

Two linear maps project the vector of a recording and the vector of its class's name into one space, trained by the
softmax cross-entropy of their cosine similarities over the names of the training classes. On unseen classes the probe
measures whether the two geometries agree beyond the classes that aligned them.
"""

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

WIDTH = 64  # of the common space
TEMPERATURE = 0.07
NUM_STEPS = 200
LEARNING_RATE = 3e-3
WEIGHT_DECAY = 0.1


class PairedVectors(NamedTuple):
    """Recordings and the names of their classes."""

    sounds: NDArray[np.floating]
    """Shape (num_clips, E)."""
    texts: NDArray[np.floating]
    """Shape (num_classes, H)."""
    labels: NDArray[np.int64]
    """Class of each clip."""


class SoundTextProbe(nn.Module):
    """The two linear maps.

    Args:
        sound_width: E.
        text_width: H.
    """

    def __init__(self, sound_width: int, text_width: int) -> None:
        super().__init__()
        self.sound = nn.Linear(sound_width, WIDTH, bias=False)
        self.text = nn.Linear(text_width, WIDTH, bias=False)

    def forward(self, sounds_NE: Tensor, texts_CH: Tensor) -> Tensor:
        """Return the cosine similarity of each recording to each text, shape (N, C)."""
        return F.normalize(self.sound(sounds_NE), dim=-1) @ F.normalize(self.text(texts_CH), dim=-1).T


def fit_and_compare(
    seen: PairedVectors, sounds: NDArray[np.floating], texts: NDArray[np.floating], seed: int
) -> NDArray[np.float32]:
    """Train the probe on some classes, and compare other recordings with names.

    Args:
        seen: training recordings and class names.
        sounds: other recordings, shape (num_others, E).
        texts: names to retrieve, shape (num_names, H).
        seed: of the initialisation.

    Returns:
        Cosine similarities, shape (num_others, num_names).
    """
    torch.manual_seed(seed)
    probe = SoundTextProbe(seen.sounds.shape[1], seen.texts.shape[1])
    optimizer = torch.optim.AdamW(probe.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    sounds_NE, texts_CH = _to_tensor(seen.sounds), _to_tensor(seen.texts)
    labels_N = torch.from_numpy(seen.labels)
    for _ in range(NUM_STEPS):
        loss = F.cross_entropy(probe(sounds_NE, texts_CH) / TEMPERATURE, labels_N)
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    with torch.inference_mode():
        similar: NDArray[np.float32] = probe(_to_tensor(sounds), _to_tensor(texts)).numpy()
    return similar


def _to_tensor(vectors: NDArray[np.floating]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(vectors, np.float32))
