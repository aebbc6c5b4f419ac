"""Run folder: file lock against a second process, and a check that the data has not changed since the first step.

Besides the files of `lalm/train/checkpoint.py` it holds data.json (`RowFiles`) and .lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import file_digest
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from lalm.messages import make_unreadable_error
from lalm.train import checkpoint
from lalm.train.config import TrainConfig
from services.errors import BadConfig
from services.files import remove_drafts, write_atomic
from services.types import Value

ROW_FILES, LOCK = "data.json", ".lock"


class RowFile(Value):
    """Fingerprint of a data file."""

    name: str
    """Path, as in the configuration."""
    size: int
    """Bytes."""
    sha256: str


class RowFiles(Value):
    """Fingerprints of all data files of a run, in order."""

    files: tuple[RowFile, ...]


def read_row_files(config: TrainConfig, root: Path) -> RowFiles:
    """Compute the fingerprints of the data files; paths start from `root`."""
    return RowFiles(files=tuple(_read_row_file(one.file, root / one.file) for one in config.data.files))


def prepare_folder(folder: Path) -> bool:
    """Create the folder if necessary; return whether it is empty, so that a new run starts in it."""
    checkpoint.require_folder(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return checkpoint.is_empty(folder)
    except OSError as error:
        raise _make_folder_error(folder, error) from error


@contextmanager
def lock_run(folder: Path, config: TrainConfig, rows: RowFiles) -> Iterator[None]:
    """Hold the lock of a run folder; write configuration and data fingerprints of a new run.

    Raises:
        BadConfig: it holds a run of another configuration or other data, or another process holds the lock.
    """
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        checkpoint.open_run(folder, config)
        lock.acquire()
        remove_drafts(folder)
        _check_row_files(folder, rows)
    except Timeout as error:
        raise BadConfig(
            f"Another process trains in the run folder '{folder}': wait for it, or name another folder."
        ) from error
    except OSError as error:
        raise _make_folder_error(folder, error) from error
    try:
        yield
    finally:
        lock.release()


def _check_row_files(folder: Path, rows: RowFiles) -> None:
    """Write the fingerprints of the data files, or refuse to resume with other data."""
    path = folder / ROW_FILES
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
        raise make_unreadable_error(path, error) from error


def _make_folder_error(folder: Path, error: OSError) -> BadConfig:
    return BadConfig(f"The run folder '{folder}' cannot be used: {error.strerror}.")
