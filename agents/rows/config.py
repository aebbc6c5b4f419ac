"""Configuration of training rows for a reader: one YAML file is one set of rows."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from services.catalog import DEFAULT_ASR, DEFAULT_CAPTIONER
from services.types import Value


class ReaderRowsConfig(Value):
    """Which clips, how many questions about each, and how they are put; paths are relative to the configuration."""

    metadata: tuple[Path, ...] = Field(min_length=1)
    """JSON lines, one clip each (`lalm/distill/metadata.py`); audio paths are relative to the file."""
    output: Path
    """JSON lines (`lalm/reader/rows.py`)."""
    drop_licences: tuple[str, ...] = ("NC",)
    """Clips whose licence contains one of these words, such as NC or SA, are left out."""
    captioner: str = DEFAULT_CAPTIONER
    asr: str = DEFAULT_ASR
    questions_per_clip: int = Field(default=3, gt=0)
    num_statements: tuple[Annotated[int, Field(gt=0)], ...] = Field(default=(4,), min_length=1)
    """Statements in a prompt, as the style of a reader says; one of these numbers is drawn for each question."""
    max_chars: int = Field(default=6_000, gt=0)
    """Characters of evidence in a prompt, as well."""
    listen_again: float = Field(default=0.2, ge=0, le=1)
    """Share of the questions about which the captioner and the ASR are asked again: what they find is a row too."""
    unheard: float = Field(default=0.1, ge=0, le=1)
    """Share of the questions that are put with the evidence of another clip, or none: no option is the likeliest."""
    framed: float = Field(default=0.4, ge=0, le=1)
    """Share of the questions that are put in one of the frames of `agents/rows/frames.json`."""
    restyled: float = Field(default=0.3, ge=0, le=1)
    """Share of the questions whose options are written in lower case, or end with a full stop."""
    seed: int = 0
