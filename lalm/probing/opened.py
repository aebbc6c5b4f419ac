"""Opening of a run of `lalm.train` with access to its components."""

from pathlib import Path
from typing import NamedTuple

import torch

from lalm.model.build import LalmComponents, build
from lalm.model.config import ModelConfig
from lalm.train import checkpoint, run_files


class OpenedRun(NamedTuple):
    """A trained LALM in this process."""

    name: str
    """Display name."""
    config: ModelConfig
    built: LalmComponents
    revision: str
    """Revision of its trained weights."""
    device: torch.device


def open_run(folder: Path, name: str) -> OpenedRun:
    """Open the LALM of a run folder.

    Raises:
        BadConfig: the run folder cannot be used.
        ModelError: a frozen part cannot be loaded.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    config = run_files.read_config(folder).model
    built = build(config, device)
    checkpoint.load_weights(built.model, folder)
    built.model.eval()
    return OpenedRun(name, config, built, run_files.compute_revision(folder), device)
