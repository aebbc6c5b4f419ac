"""Experiment trackers by name: MLflow and Weights & Biases, whose packages are imported only where one is asked for."""

from importlib import import_module
from types import ModuleType
from typing import Literal, TypeAlias

from services.errors import BadConfig

TrackerName: TypeAlias = Literal["mlflow", "wandb"]
PROJECT = "earwitness"
"""Project (Weights & Biases) or experiment (MLflow) that all runs are logged under."""


def import_tracker(name: str) -> ModuleType:
    """Import a tracker's package; called before a run, so that no run is wasted.

    Raises:
        BadConfig: it is not installed or cannot be imported; the message says how to install it.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise BadConfig(f"--track {name} needs its package: pip install {name} ({error}).") from error
