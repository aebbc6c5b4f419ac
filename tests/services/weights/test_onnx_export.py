"""Exported networks against plain transcripts of their layers, with weights drawn at random."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from services.captioners.onnx_session import open_session
from services.weights import onnx_export

FRONT = [(7, 38, 1, 204), (7, 67, 1, 204), (128, 1, 1, 51), (64, 1, 1, 51), (32, 1, 1, 51)]
MIDDLE = [(7, 561, 1, 64), (7, 64, 1, 64), (7, 64, 1, 64)]
NORMALISED = [1, *(shape[-1] for shape in [*FRONT, *MIDDLE]), 1506, 200]


def draw_tensors() -> Mapping[str, np.ndarray]:
    """Draw a checkpoint with the names and shapes of musicnn's."""
    rng = np.random.default_rng(0)
    drawn = {}
    for number, shape in enumerate([*FRONT, *MIDDLE]):
        layer = f"conv2d_{number}" if number else "conv2d"
        drawn[f"{layer}/kernel"] = rng.normal(0, np.prod(shape[:3]) ** -0.5, shape)
        drawn[f"{layer}/bias"] = rng.normal(0, 0.1, shape[-1:])
    for number, size in enumerate(NORMALISED):
        layer = f"batch_normalization_{number}" if number else "batch_normalization"
        for part in ("gamma", "moving_variance"):
            drawn[f"{layer}/{part}"] = rng.uniform(0.5, 2, size)
        for part in ("beta", "moving_mean"):
            drawn[f"{layer}/{part}"] = rng.normal(0, 0.2, size)
    for layer, shape in (("dense", (1506, 200)), ("dense_1", (200, 50))):
        drawn[f"{layer}/kernel"] = rng.normal(0, shape[0] ** -0.5, shape)
        drawn[f"{layer}/bias"] = rng.normal(0, 0.1, shape[1])
    return {name: value.astype(np.float32) for name, value in drawn.items()}


class Transcript:
    """The layers of musicnn in torch, as arXiv:1909.06654 and its repository describe them."""

    def __init__(self, tensors: Mapping[str, np.ndarray]) -> None:
        self._tensors = {name: torch.from_numpy(value) for name, value in tensors.items()}

    def __call__(self, patches: Tensor) -> Tensor:
        """Return logits of patches, shape (batch, frames, 96)."""
        heard = self._normalise(patches[:, None], 0)
        front = [
            self._normalise(self._convolve(F.pad(heard, (0, 0, (size - 1) // 2, size // 2)), number), number + 1)
            for number, (size, *_) in enumerate(FRONT)
        ]
        layers = [torch.cat([one.amax(dim=3) for one in front], dim=1)]
        for number in (5, 6, 7):
            padded = F.pad(layers[-1].transpose(1, 2)[:, None], (0, 0, 3, 3))
            after = self._normalise(self._convolve(padded, number), number + 1)[..., 0]
            layers.append(after if number == 5 else after + layers[-1])
        channels = torch.cat(layers, dim=1)
        pooled = torch.stack([channels.amax(dim=2), channels.mean(dim=2)], dim=2).flatten(1)
        hidden = self._normalise(F.relu(self._multiply(self._normalise(pooled, 9), "dense")), 10)
        return self._multiply(hidden, "dense_1")

    def _convolve(self, inputs: Tensor, number: int) -> Tensor:
        layer = f"conv2d_{number}" if number else "conv2d"
        kernel = self._tensors[f"{layer}/kernel"].permute(3, 2, 0, 1)
        return F.relu(F.conv2d(inputs, kernel, self._tensors[f"{layer}/bias"]))

    def _normalise(self, inputs: Tensor, number: int) -> Tensor:
        layer = f"batch_normalization_{number}" if number else "batch_normalization"
        mean, variance, gamma, beta = (
            self._tensors[f"{layer}/{part}"] for part in ("moving_mean", "moving_variance", "gamma", "beta")
        )
        return F.batch_norm(inputs, mean, variance, gamma, beta, eps=1e-3)

    def _multiply(self, inputs: Tensor, layer: str) -> Tensor:
        return inputs @ self._tensors[f"{layer}/kernel"] + self._tensors[f"{layer}/bias"]


@pytest.mark.slow
@pytest.mark.parametrize("num_frames", [187, 250])
def test_musicnn_computes_what_its_layers_say(num_frames: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensors = draw_tensors()
    monkeypatch.setattr(onnx_export, "read_tensor_bundle", lambda index, data: tensors)
    onnx_export.export_musicnn(tmp_path, tmp_path)
    patches = np.random.default_rng(1).uniform(0, 3, (2, num_frames, 96)).astype(np.float32)
    wanted = Transcript(tensors)(torch.from_numpy(patches)).numpy()
    assert wanted.std() > 0.1
    for name in ("msd", "mtt"):
        (found,) = open_session(tmp_path / f"{name}.onnx").run(None, {"patches": patches})
        np.testing.assert_allclose(found, wanted, atol=1e-4)
