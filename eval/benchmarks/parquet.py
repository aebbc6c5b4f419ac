"""Parquet files of questions, as the Hub's datasets are exported, with recordings in their rows.

Rows are read batch by batch. Recordings in a row are written to the Earwitness folder once, so that every later run
finds them as files, and memory stays bounded by a group of rows (the Hub's hold 100 recordings), not by the file.
Columns whose values are numbers of labels (the Hub's `ClassLabel`) are read as the labels, and a null inside an object
as a field that is not there: all rows of a column share their fields.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from pydantic import BaseModel, Field, JsonValue, ValidationError

from services.errors import BadConfig
from services.files import write_atomic
from services.settings import read_settings

NUM_ROWS_READ = 16  # at once: recordings of a minute are some megabytes each
BUFFER = 1 << 20  # bytes of a column read ahead
PLAIN_SUFFIX = re.compile(r"\.\w{1,8}", re.ASCII)
KEY = b"huggingface"  # of the metadata in which the Hub's library describes the columns


class HubColumn(BaseModel):
    """What the Hub's library says of a column; fields that we do not use are left alone."""

    kind: str = Field(alias="_type", default="")
    names: tuple[str, ...] = ()
    """Of a `ClassLabel`: the labels."""
    feature: "HubColumn | None" = None
    """Of a list: what it holds."""


class _Columns(BaseModel):
    features: dict[str, JsonValue] = Field(default_factory=dict)


class HubDescription(BaseModel):
    """What the Hub's library says of a file."""

    info: _Columns = _Columns()


def read_parquet(file: Path, sha256: str) -> list[Mapping[str, object]]:
    """Return the rows of a Parquet file; `BadConfig` where it is not one, or its recordings cannot be written.

    `sha256` is the file's digest, which names the folder that its recordings are written to.
    """
    name = f"Benchmark {str(file)!r}"
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise BadConfig(f"{name} is a Parquet file; reading one needs pip install 'earwitness[parquet]'.") from error
    try:
        folder = read_settings().home / "benchmarks" / "extracted" / sha256
        opened = parquet.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False)
        labels = _read_labels((opened.schema_arrow.metadata or {}).get(KEY, b"{}"))
        batches = opened.iter_batches(batch_size=NUM_ROWS_READ)
        rows = (row for batch in batches for row in batch.to_pylist(maps_as_pydicts="lossy"))
        return list(_keep_clips(folder, rows, labels))
    except pyarrow.ArrowException as error:
        raise BadConfig(f"{name} is not Parquet: {' '.join(str(error).split()).rstrip('.')}.") from error
    except ValueError as error:  # a time in nanoseconds has no value in Python
        why, *_ = str(error).split(". ")
        raise BadConfig(f"{name} holds a value that cannot be read: {why}; leave its column out.") from error
    except OSError as error:
        raise BadConfig(f"{name} cannot be read: {error.strerror or str(error).rstrip('.')}.") from error


def _read_labels(described: bytes) -> Mapping[str, Sequence[str]]:
    """Return the labels of each column that holds their numbers, alone or in lists."""
    try:
        columns = HubDescription.model_validate_json(described).info.features
    except ValidationError:  # another tool's metadata under that key
        return {}
    return {name: labels for name, column in columns.items() if (labels := _find_labels(column))}


def _find_labels(described: JsonValue) -> Sequence[str]:
    try:
        column = HubColumn.model_validate(described)
    except ValidationError:  # a column of several fields
        return ()
    inner = column.feature or column
    return inner.names if inner.kind == "ClassLabel" else ()


def _keep_clips(
    folder: Path, rows: Iterator[dict[str, object]], labels: Mapping[str, Sequence[str]]
) -> Iterator[Mapping[str, object]]:
    """Yield rows whose recordings are paths of files."""
    for number, row in enumerate(rows, start=1):
        named = {field: _name(value, labels[field]) if field in labels else value for field, value in row.items()}
        yield {
            field: _keep(folder, f"{number}-{quote(field, safe='')}", value)
            for field, value in named.items()
            if value is not None
        }


def _name(value: object, labels: Sequence[str]) -> object:
    """Return the label of a number; None for the one that stands for no label."""
    if isinstance(value, list):
        return [_name(one, labels) for one in value]
    if not isinstance(value, int):
        return value
    return labels[value] if 0 <= value < len(labels) else None


def _keep(folder: Path, name: str, value: object) -> object:
    """Write the recordings that a value holds, and return their paths in place of them."""
    if isinstance(value, list):
        return [_keep(folder, f"{name}-{place}", one) for place, one in enumerate(value, start=1)]
    if isinstance(value, bytes):
        return _read_text(value) or _write(folder / name, value)
    if not isinstance(value, Mapping):
        return value
    content = value.get("bytes")
    if isinstance(content, bytes):
        suffix = Path(str(value.get("path") or "")).suffix
        return _write(folder / f"{name}{suffix if PLAIN_SUFFIX.fullmatch(suffix) else ''}", content)
    return {
        field: _keep(folder, f"{name}-{quote(str(field), safe='')}", one)
        for field, one in value.items()
        if one is not None
    }


def _read_text(content: bytes) -> str | None:
    """Return the text that a column of bytes may hold as well; None where it is a recording."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _write(file: Path, content: bytes) -> str:
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(file, content)
    return str(file)
