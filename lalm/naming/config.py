"""Configuration of the training of a naming head."""

from pathlib import Path

from pydantic import Field

from lalm.model.config import NamingConfig
from lalm.train.config import ScheduleConfig
from services.types import Value


class RowFolder(Value):
    """A file of training rows, and the folder that its audio paths start from."""

    file: Path
    """JSON lines as `lalm.synthesise` and `lalm.distill` write them, relative to the configuration file."""
    audio_root: Path


class NamingTrainConfig(Value):
    """Configuration of the training of a naming head; paths are relative to the configuration file."""

    head: NamingConfig
    rows: tuple[RowFolder, ...] = Field(min_length=1)
    """Rows with `labels` to train on."""
    held_back: tuple[RowFolder, ...] = Field(min_length=1)
    """Rows about other recordings; the weight of names is fitted on those with options. Training rows that share a
    recording with them are left out."""
    contrast: ScheduleConfig
    num_questions: int = Field(default=400, gt=0)
    """Held-back questions with options that the weight is fitted on."""
    seed: int = 0
