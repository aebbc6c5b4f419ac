"""Classifier heads that ship with the package: small layers over features, each read from a safetensors file."""

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load

from services.captioners.frames import Floats


class HeadFile(NamedTuple):
    """Contents of the file of a head; its metadata also names the data that it was fitted on."""

    labels: tuple[str, ...]
    tensors: Mapping[str, Floats]


def read_head(package: str, file: str) -> HeadFile:
    """Read the file of a head among the data files of a package."""
    data = files(package).joinpath(file).read_bytes()
    size = int.from_bytes(data[:8], "little")
    metadata: Mapping[str, str] = json.loads(data[8 : 8 + size])["__metadata__"]
    tensors = {name: tensor.astype(np.float32) for name, tensor in load(data).items()}
    return HeadFile(tuple(json.loads(metadata["labels"])), tensors)


class ClassifierHead:
    """A classifier with one hidden layer."""

    def __init__(self, package: str, file: str) -> None:
        self.labels, self._tensors = read_head(package, file)

    def __call__(self, inputs: Floats) -> Floats:
        """Return log-probabilities, shape (num_rows, num_labels), of features of shape (num_rows, num_features)."""
        w = self._tensors
        hidden = np.maximum((inputs - w["mean"]) / w["scale"] @ w["hidden.weight"].T + w["hidden.bias"], 0)
        logits = hidden @ w["out.weight"].T + w["out.bias"]
        shifted = logits - logits.max(axis=1, keepdims=True)
        return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)), np.float32)
