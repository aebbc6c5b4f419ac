"""Configuration of a synthesis: one YAML file is one set of clips, with its sources, shares and seed."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from lalm.synthesise.makers import MAKERS
from lalm.synthesise.speech.voices import Engine
from services.types import Value


class SoundFontConfig(Value):
    """A soundfont with General MIDI presets."""

    file: Path
    """In SF2 or SF3 format; absolute, or relative to the configuration file."""
    package: str
    """Package that it is from, for `sources.jsonl`."""
    licence: str


def _require_group(pattern: str) -> str:
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise ValueError(f"is not a regular expression: {error}") from error
    if not compiled.groups:
        raise ValueError("has no group, which would be the speaker: put it in parentheses")
    return pattern


class RecordingsConfig(Value):
    """Real recordings with metadata, to be cut and mixed."""

    metadata: Path
    """JSON lines (`lalm/distill/metadata.py`), relative to the configuration file."""
    drop_licences: tuple[str, ...] = ("NC",)
    """Clips whose licence contains one of these words are left out."""
    voice_patterns: tuple[Annotated[str, AfterValidator(_require_group)], ...] = ()
    """Regular expressions whose first group is the speaker in the id of a recording: the split holds back speakers."""
    teacher: bool = True
    """Whether YAMNet labels the sounds further."""


class SynthesiseConfig(Value):
    """Configuration of a synthesis; paths are relative to the configuration file."""

    output: Path
    """Folder of the clips, their metadata, the rows and the list of sources."""
    num_clips: int = Field(gt=0)
    rows_per_clip: int = Field(default=3, gt=0)
    """Questions about each clip."""
    validation: float = Field(default=0.06, ge=0, lt=1)
    """Share of the clips made only of recordings, presets and voices that no training clip is made of."""
    soundfonts: Mapping[str, SoundFontConfig] = {}
    synthesisers: tuple[Engine, ...] = ()
    recordings: RecordingsConfig | None = None
    shares: Mapping[str, Annotated[float, Field(ge=0, allow_inf_nan=False)]] = {}
    """Relative frequency of a kind of clip (`lalm/synthesise/makers.py`) where it is not the usual one."""
    longest_s: float = Field(default=28.0, gt=1, allow_inf_nan=False)
    """Longer clips are drawn again."""
    format: Literal["flac", "ogg"] = "flac"
    seed: int = 42

    @model_validator(mode="after")
    def _require_known_kinds(self) -> Self:
        if unknown := sorted(set(self.shares) - set(MAKERS)):
            raise ValueError(f"shares names {unknown[0]!r}, which is not a kind of clip; known: {', '.join(MAKERS)}")
        return self
