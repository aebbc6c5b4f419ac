"""A run folder belongs to one training at a time, and to the rows that it was begun with.

Beside what `lalm/train/checkpoint.py` writes it holds data.json (`Sources`) and .lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from lalm.train import checkpoint
from lalm.train.config import TrainConfig
from services.errors import BadConfig
from services.files import write_atomic
from services.types import Value

SOURCES, LOCK = "data.json", ".lock"


class RowFile(Value):
    """A file of rows."""

    name: str
    """As the configuration calls it."""
    size: int
    """Bytes."""
    sha256: str


class RowFiles(Value):
    """All files of a run, in order."""

    files: tuple[RowFile, ...]


def read_row_files(config: TrainConfig, root: Path) -> RowFiles:
    """Return what the files of rows hold now; paths start from `root`."""
    return RowFiles(files=tuple(_read_row_file(name, root / name) for name in config.data.files))


def prepare_folder(folder: Path) -> bool:
    """Make the folder where it is not there; return whether a run begins in it."""
    if folder.exists() and not folder.is_dir():
        raise BadConfig(f"'{folder}' is a file; a run needs a folder of its own.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return not any(folder.iterdir())
    except OSError as error:
        raise _folder_error(folder, error) from error


@contextmanager
def lock_run(folder: Path, config: TrainConfig, rows: RowFiles) -> Iterator[None]:
    """Keep the folder for this training; what a new run begins with is written into it.

    Raises `BadConfig` where it holds a run of another configuration or of other rows, or another process trains in it.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        checkpoint.open_run(folder, config)
        lock.acquire()
        _check_row_files(folder, rows)
    except Timeout as error:
        raise BadConfig(
            f"Another process trains in the run folder '{folder}': wait for it, or name another folder."
        ) from error
    except OSError as error:
        raise _folder_error(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _check_row_files(folder: Path, rows: RowFiles) -> None:
    """Write down what the files of rows hold, or refuse to go on with other rows."""
    path = folder / SOURCES
    if not path.is_file():
        write_atomic(path, rows.model_dump_json(indent=1) + "\n")
        return
    try:
        begun = RowFiles.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise BadConfig(f"'{path}' does not say which rows the run was begun with: name another folder.") from error
    changed = [f"'{now.name}'" for was, now in zip(begun.files, rows.files, strict=True) if was != now]
    if changed:
        raise BadConfig(
            f"The run in '{folder}' was begun with other rows: {', '.join(changed)} changed since then. "
            "Bring them back, or name another folder."
        )


def _read_row_file(name: Path, path: Path) -> RowFile:
    try:
        with path.open("rb") as file:
            sha256 = file_digest(file, "sha256").hexdigest()
            return RowFile(name=str(name), size=file.tell(), sha256=sha256)
    except OSError as error:
        raise BadConfig(
            f"'{path}' cannot be read ({error.strerror}); `python -m lalm.distill CONFIG` writes one."
        ) from error


def _folder_error(folder: Path, error: OSError) -> BadConfig:
    return BadConfig(f"The run folder '{folder}' cannot be used: {error.strerror}.")
