"""Rows of a benchmark file, a JSON list or JSON lines, checked one by one; an error names file, row and field."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from string import ascii_uppercase
from typing import Annotated, Generic, NamedTuple, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError, model_validator

from eval.benchmarks.benchmark import Benchmark, Item
from services.errors import BadConfig
from services.json_lines import (
    InvalidJson,
    decode_text,
    format_id,
    is_json_lines,
    make_row_error,
    parse_json_rows,
    read_bytes,
    read_text,
    refuse_repeated_ids,
    validate_row,
)


def _require_words(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty; it needs words")
    return text


def _fill_missing(label: object) -> object:
    return "" if label is None else label


Text: TypeAlias = Annotated[str, AfterValidator(_require_words)]
GroupName: TypeAlias = Annotated[str, BeforeValidator(_fill_missing)]
"""What groups items; null where a row is in no group."""


class AskedRow(BaseModel):
    """What every multiple-choice row holds; fields that we do not use are left alone."""

    id: Annotated[Text, BeforeValidator(format_id)]
    question: Text
    choices: list[str] = Field(min_length=1, max_length=len(ascii_uppercase))
    """As published: duplicated and empty options stay."""
    answer: str | None = None
    """None: withheld."""

    @model_validator(mode="after")
    def _require_answer_among_choices(self) -> "AskedRow":
        if self.is_withheld or self.answer in self.choices:
            return self
        raise ValueError(f"field 'answer': {self.answer!r} is none of the choices {self.choices!r}")

    @property
    def is_withheld(self) -> bool:
        """Whether the right answer is not in the file."""
        return self.answer is None or (self.answer == "" and "" not in self.choices)


AnyRow = TypeVar("AnyRow", bound=AskedRow)


class Rows(NamedTuple, Generic[AnyRow]):
    """The rows of a file, and the file's identity."""

    rows: Sequence[AnyRow]
    sha256: str


def read_rows(file: Path, kind: type[AnyRow]) -> Rows[AnyRow]:
    """Read and check a file; raises `BadConfig` that names file, row and field of the first unusable row."""
    name = f"Benchmark {str(file)!r}"
    content = read_bytes(file, name)
    rows = _parse(file, decode_text(content, name), kind)
    if not rows:
        raise BadConfig(f"Benchmark {str(file)!r} holds no items; a JSON list of rows is needed.")
    refuse_repeated_ids(name, ((number, row.id) for number, row in enumerate(rows, start=1)))
    _refuse_partly_withheld(file, rows)
    return Rows(rows, hashlib.sha256(content).hexdigest())


def read_benchmark(
    file: Path,
    kind: type[AnyRow],
    item: Callable[[AnyRow], Item],
    *,
    audio_root: Path | None = None,
    audio_source: str = "",
    submission_keys: tuple[str, ...] = (),
) -> Benchmark:
    """Read a file as a benchmark named after it; clips lie relative to `audio_root`, or else to the file.

    Raises `BadConfig` that names file, row and field of the first row that cannot be used.
    """
    rows, sha256 = read_rows(file, kind)
    return Benchmark(
        name=file.stem,
        file=file,
        sha256=sha256,
        audio_root=audio_root or file.parent,
        audio_source=audio_source,
        submission_keys=submission_keys,
        items=tuple(map(item, rows)),
    )


class PublishedRow(NamedTuple):
    """A row of a benchmark with all its fields, and the item that it became."""

    row: Mapping[str, object]
    id: str
    """Of the item."""
    options: tuple[str, ...] = ()
    """As published, with the empty ones of columns, whose places the file's letters stand for; empty: as asked."""


def read_published(file: Path) -> list[PublishedRow]:
    """Return the rows of a checked benchmark file with all their fields, as they are published."""
    text = read_text(file, f"Benchmark {str(file)!r}")
    rows = (row.value for row in parse_json_rows(text, is_lines=is_json_lines(file, text)))
    return [PublishedRow(row, str(format_id(row["id"]))) for row in rows if isinstance(row, dict)]


def _parse(file: Path, text: str, kind: type[AnyRow]) -> list[AnyRow]:
    is_lines = is_json_lines(file, text)
    rows = []
    try:
        for number, row in parse_json_rows(text, is_lines=is_lines):
            if not isinstance(row, dict):
                raise BadConfig(f"Benchmark {str(file)!r}, row {number}, is not a JSON object.")
            rows.append(_check_row(file, number, row, kind))
    except InvalidJson as error:
        where = f"row {error.line}" if is_lines else "not a JSON list of rows"
        raise BadConfig(f"Benchmark {str(file)!r}, {where}: {error}.") from error
    return rows


def _check_row(file: Path, number: int, row: object, kind: type[AnyRow]) -> AnyRow:
    try:
        return validate_row(kind, row)
    except ValidationError as error:
        raise make_row_error(f"Benchmark {str(file)!r}, row {number}", error) from error


def _refuse_partly_withheld(file: Path, rows: Sequence[AskedRow]) -> None:
    withheld = [number for number, row in enumerate(rows, start=1) if row.is_withheld]
    if withheld and len(withheld) < len(rows):
        raise BadConfig(
            f"Benchmark {str(file)!r}, row {withheld[0]}, field 'answer': missing, though other rows have one; "
            "either all answers are withheld or none is."
        )
