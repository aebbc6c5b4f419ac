"""Small classifier with one hidden layer, read from a safetensors file that ships with the package."""

import json
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load

Floats = NDArray[np.float32]


class ClassifierHead:
    """The opened classifier; its metadata names the `labels` and where it was fitted."""

    def __init__(self, package: str, file: str) -> None:
        data = files(package).joinpath(file).read_bytes()
        size = int.from_bytes(data[:8], "little")
        metadata: dict[str, str] = json.loads(data[8 : 8 + size])["__metadata__"]
        self.labels: tuple[str, ...] = tuple(json.loads(metadata["labels"]))
        self._tensors = {name: tensor.astype(np.float32) for name, tensor in load(data).items()}

    def __call__(self, inputs: Floats) -> Floats:
        """Return log-probabilities, shape (num_rows, num_labels), of features of shape (num_rows, num_features)."""
        w = self._tensors
        hidden = np.maximum((inputs - w["mean"]) / w["scale"] @ w["hidden.weight"].T + w["hidden.bias"], 0)
        logits = hidden @ w["out.weight"].T + w["out.bias"]
        shifted = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float32)
