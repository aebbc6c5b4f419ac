"""A run of `lalm.train` whose adapters do something, as probes open it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model.build import build
from lalm.probing.opened import OpenedRun, open_run
from lalm.train import checkpoint
from lalm.train.config import TrainConfig
from services import yaml_file


@pytest.fixture
def folder(make_run: Callable[..., Path], tmp_path: Path) -> Path:
    """Return the folder of the run."""
    config = yaml_file.read_config(make_run(), TrainConfig)
    checkpoint.open_run(tmp_path / "run", config)
    torch.manual_seed(1)
    model = build(config.model, torch.device("cpu")).model
    for name, value in model.list_trained_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(value, std=0.3)
    checkpoint.export_weights(model, tmp_path / "run", torch.float32)
    return tmp_path / "run"


@pytest.fixture
def opened(folder: Path) -> OpenedRun:
    return open_run(folder, "made-up")
