"""Metadata of clips: JSON lines, read and validated."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from services.json_lines import RowId, parse_row, read_text, refuse_repeated_ids, split_lines

SpeechKind: TypeAlias = Literal["audiobook", "picture description", "read speech", "telephone announcement"]
Playing: TypeAlias = Literal["chord", "scale", "melody"]
"""What an instrument plays: a chord and then its notes one by one, a scale up and down, or a melody."""
MusicUse: TypeAlias = Literal["game", "on hold"]


class Speaker(BaseModel):
    """Attributes of one speaker."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    gender: Literal["female", "male"] | None = None
    age: str | None = None
    accent: str | None = None
    emotion: str | None = None
    intensity: str | None = None


class MetadataSpan(BaseModel):
    """A time span of a clip, with what is heard or who speaks in it. Seconds."""

    model_config = ConfigDict(frozen=True)

    start_s: float
    end_s: float
    text: str


class StatedFact(BaseModel):
    """A question about a clip with its answer, stated in the metadata."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str
    """Key of `lalm/distill/questions.json`."""
    answer: tuple[str, ...]
    """The same answer in several wordings."""
    wrong: tuple[tuple[str, ...], ...] = ()
    """Wrong answers, each in the same wordings."""
    also_true: frozenset[str] = frozenset()
    about: str = ""
    pool: str = ""
    is_open: bool = True
    is_choice: bool = True


class Metadata(BaseModel):
    """Metadata of one clip; unknown attributes are empty or None. Other columns are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: RowId
    audio: str
    """Path, relative to the metadata file."""
    duration: float = Field(ge=0, allow_inf_nan=False)
    """Seconds."""
    task: Literal["speech", "music", "sound"]
    caption: str
    license: str
    sources: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()
    """Recordings that the clip was cut or mixed from."""
    labels: tuple[str, ...] = ()
    transcript: str = ""
    translation: str = ""
    """English translation of the transcript."""
    language: str | None = None
    speech_kind: SpeechKind | None = None
    spans: tuple[MetadataSpan, ...] = ()
    """What is heard one after the other, or who speaks."""
    speaker: Speaker = Speaker()
    speakers: tuple[Literal["female", "male"], ...] = ()
    """Gender of each speaker, in order of speaking, in a clip with several."""
    order: tuple[str, ...] = ()
    """Sounds in temporal order."""
    background: str | None = None
    count: int | None = None
    """Number of strokes."""
    bpm: int | None = None
    mode: str | None = None
    """Mode of a chord, scale or melody, such as major."""
    meter: str | None = None
    quality: str | None = None
    """Defect of the recording, or `clean`."""
    playing: Playing | None = None
    music_use: MusicUse | None = None
    sample_kind: str | None = None
    """Kind of a sample in a collection, such as drum loop."""
    title: str | None = None
    reason: str | None = None
    """Why a baby cries, according to its parents."""
    age: str | None = None
    """Age of a baby."""

    facts: tuple[StatedFact, ...] = ()
    """All questions about a clip of which everything is known; the other columns are then not read for questions."""


def read_metadata(path: Path) -> tuple[Metadata, ...]:
    """Read a metadata file; raise `BadConfig` with the number of an invalid line, or of one whose id is taken."""
    lines = tuple(split_lines(read_text(path, f"Metadata '{path}'")))
    rows = tuple(_parse_row(line, f"{path}:{number}") for number, line in lines)
    refuse_repeated_ids(f"Metadata '{path}'", ((line.number, row.id) for line, row in zip(lines, rows, strict=True)))
    return rows


def filter_by_licence(rows: Iterable[Metadata], dropped: Sequence[str]) -> tuple[Metadata, ...]:
    """Return the rows whose licence contains none of the `dropped` words, such as NC."""
    return tuple(row for row in rows if not set(dropped) & set(re.split(r"[^A-Za-z0-9]+", row.license)))


def _parse_row(line: str, place: str) -> Metadata:
    needed = ", ".join(name for name, known in Metadata.model_fields.items() if known.is_required())
    return parse_row(Metadata, line, place=place, name="a metadata row", needed=needed)
