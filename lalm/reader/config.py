"""Configuration of a reader's training: one YAML file is one run; a copy is written into the run folder."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from lalm.train.config import WarmupConfig
from services.types import Value


class ReaderLoraConfig(Value):
    """LoRA adapters of a reader (arXiv:2106.09685)."""

    rank: int = Field(default=16, gt=0)
    alpha: int = Field(default=32, gt=0)
    dropout: float = Field(default=0.0, ge=0, lt=1)
    first_layer: int = Field(default=0, ge=0)
    """Layers before this one get no adapters, and no gradient passes through them: a step costs less."""


class ReaderConfig(WarmupConfig):
    """Configuration of a training run; paths are relative to the configuration file."""

    name: str
    backbone: str
    """A causal LM: a name of `services/weights/weights.json`, a folder in Hugging Face format, or a Hub id."""
    files: tuple[Path, ...] = Field(min_length=1)
    """JSON lines (`lalm/reader/rows.py`) to train on."""
    validation_files: tuple[Path, ...] = ()
    """JSON lines to validate on, about other clips and recordings."""
    lora: ReaderLoraConfig = ReaderLoraConfig()
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the frozen weights; auto: bfloat16 where the processor multiplies it faster than float32."""
    learning_rate: float = Field(default=2e-4, gt=0)
    """Peak of AdamW's learning rate; linear warm-up, then cosine decay to zero."""
    weight_decay: float = Field(default=0.01, ge=0)
    rows_per_step: int = Field(default=8, gt=0)
    clip_norm: float = Field(default=1.0, gt=0)
    max_length: int = Field(default=512, gt=0)
    """Tokens of a prompt; longer rows are dropped and counted."""
    seed: int = 0
    save_every: int = Field(default=25, gt=0)
    """Steps between two checkpoints; a run resumes from the last one."""
