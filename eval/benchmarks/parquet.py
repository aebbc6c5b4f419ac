"""Parquet files of questions, as the Hub's datasets are exported, with recordings in their rows.

Rows are read batch by batch. Recordings in a row are written to the Earwitness folder once, so that every later run
finds them as files, and memory stays bounded by a group of rows (the Hub's hold 100 recordings), not by the file.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from services.errors import BadConfig
from services.files import write_atomic
from services.settings import read_settings

NUM_ROWS_READ = 16  # at once: recordings of a minute are some megabytes each
BUFFER = 1 << 20  # bytes of a column read ahead


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
        batches = parquet.ParquetFile(file, buffer_size=BUFFER, pre_buffer=False).iter_batches(batch_size=NUM_ROWS_READ)
        return list(_keep_clips(folder, (row for batch in batches for row in batch.to_pylist())))
    except OSError as error:
        raise BadConfig(f"{name} cannot be read: {error.strerror or error}.") from error
    except pyarrow.ArrowException as error:
        raise BadConfig(f"{name} is not Parquet: {' '.join(str(error).split())}.") from error


def _keep_clips(folder: Path, rows: Iterator[dict[str, object]]) -> Iterator[Mapping[str, object]]:
    """Yield rows whose recordings are paths of files."""
    for number, row in enumerate(rows, start=1):
        yield {field: _keep(folder, f"{number}-{field}", value) for field, value in row.items() if value is not None}


def _keep(folder: Path, name: str, value: object) -> object:
    """Write the recording that a value holds, and return its path; any other value stays as it is."""
    if isinstance(value, list):
        return [_keep(folder, f"{name}-{place}", one) for place, one in enumerate(value, start=1)]
    content = value.get("bytes") if isinstance(value, Mapping) else value
    if not isinstance(content, bytes):
        return value
    original = value.get("path") if isinstance(value, Mapping) else None
    file = folder / f"{name}{Path(str(original)).suffix if original else ''}"
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(file, content)
    return str(file)
