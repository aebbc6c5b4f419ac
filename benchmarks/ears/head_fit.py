"""Fit of a classifier with one hidden layer: AdamW, dropout, noise; then one temperature on examples kept aside."""

import json
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

Floats = NDArray[np.float32]


class Examples(NamedTuple):
    """Features of shape (num_examples, num_features), and the number of the label of each."""

    inputs: Floats
    targets: NDArray[np.int64]


class FitSettings(NamedTuple):
    """How a head is fitted."""

    hidden: int = 48
    epochs: int = 60
    rate: float = 2e-3
    decay: float = 1e-3
    dropout: float = 0.1
    noise: float = 0.05


def fit_head(train: Examples, calibration: Examples, num_labels: int, how: FitSettings) -> dict[str, torch.Tensor]:
    """Return the tensors of a head; the temperature is folded into its last layer."""
    torch.manual_seed(0)
    mean, scale = train.inputs.mean(axis=0), train.inputs.std(axis=0) + 0.02
    x, y = torch.from_numpy((train.inputs - mean) / scale).float(), torch.from_numpy(train.targets)
    hidden, out = torch.nn.Linear(x.shape[1], how.hidden), torch.nn.Linear(how.hidden, num_labels)
    model = torch.nn.Sequential(hidden, torch.nn.ReLU(), torch.nn.Dropout(how.dropout), out)
    optimiser = torch.optim.AdamW(model.parameters(), how.rate, weight_decay=how.decay)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, how.epochs)
    for _ in range(how.epochs):
        for batch in torch.split(torch.randperm(len(x)), 64):
            loss = torch.nn.functional.cross_entropy(
                model(x[batch] + how.noise * torch.randn(len(batch), x.shape[1])), y[batch]
            )
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
        schedule.step()
    model.eval()
    with torch.no_grad():
        logits = model(torch.from_numpy((calibration.inputs - mean) / scale).float())
    sharpness = _fit_sharpness(logits, torch.from_numpy(calibration.targets))
    tensors = {"mean": torch.from_numpy(mean), "scale": torch.from_numpy(scale)}
    tensors |= {"hidden.weight": hidden.weight, "hidden.bias": hidden.bias}
    tensors |= {"out.weight": out.weight * sharpness, "out.bias": out.bias * sharpness}
    return {name: tensor.detach().half().contiguous() for name, tensor in tensors.items()}


def _fit_sharpness(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """Return the factor on the logits under which the examples kept aside are likeliest."""
    factors = np.geomspace(0.1, 4, 80)
    losses = [float(torch.nn.functional.cross_entropy(logits * factor, targets)) for factor in factors]
    return float(factors[int(np.argmin(losses))])


def write_head(tensors: dict[str, torch.Tensor], target: Path, labels: tuple[str, ...], data: str) -> None:
    """Write a head as `services.captioners.head` reads it."""
    metadata = {"labels": json.dumps(labels), "data": data, "script": "benchmarks/ears/fit.py"}
    save_file(tensors, target, metadata)
