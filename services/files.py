"""Atomic and durable file writing, and names of files in either Unicode form; a crash never leaves half of a file.

*Atomic*: readers see the old file or the new one. *Durable*: what was written also survives a power cut (fsync).
"""

import os
import stat
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path
from typing import IO
from uuid import uuid4


def is_folder(name: str) -> bool:
    """Say whether a folder has this path; a name that no path can have, such as one too long, is none of a folder."""
    try:
        return Path(name).is_dir()
    except OSError:
        return False


def is_file(name: str) -> bool:
    """Say whether a file has this path; a name that no path can have is none of a file."""
    try:
        return Path(name).is_file()
    except OSError:
        return False


def find_file(folder: Path, name: str) -> Path:
    """Return the path of a file below a folder, whichever way its name composes accented letters (NFC or NFD).

    Archives made on macOS hold decomposed names, the lists beside them often composed ones. An exact name comes first;
    where no name is the same text, the path as it was given is returned.
    """
    path = folder / name
    if name.isascii() or path.exists():
        return path
    found = Path(path.anchor) if Path(name).is_absolute() else folder
    for part in Path(name).parts[1 if Path(name).is_absolute() else 0 :]:
        exact = found / part
        found = exact if exact.exists() else next(_find_same_names(found, part), exact)
    return found if found.exists() else path


def _find_same_names(folder: Path, name: str) -> Iterator[Path]:
    """Yield the entries of a folder whose names are the same text once composed."""
    composed = unicodedata.normalize("NFC", name)
    if folder.is_dir():
        yield from (one for one in folder.iterdir() if unicodedata.normalize("NFC", one.name) == composed)


def share_files(folder: Path) -> None:
    """Give the files below a folder the mode that new files have here (umask).

    Some libraries, such as safetensors, write files that only their owner can read.
    """
    probe = folder / f".{uuid4().hex[:8]}.mode"
    probe.touch()
    mode = stat.S_IMODE(probe.stat().st_mode)
    probe.unlink()
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)


@contextmanager
def replace_atomically(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give the path of a draft beside `path`, which replaces `path` when the block ends, and is removed if it fails.

    The draft has a name of its own, so that several processes and threads can write the same file: the last one wins.
    Raises `OSError` where the folder cannot be written to.
    """
    draft = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        yield draft
        if durable:
            _sync(draft, os.O_RDWR)
        draft.replace(path)
        if durable:
            _sync(path.parent, os.O_RDONLY)  # the new name is an entry of the folder
    finally:
        draft.unlink(missing_ok=True)


def remove_drafts(folder: Path) -> None:
    """Remove what processes that were killed left of files in a folder; none may write there meanwhile."""
    for draft in folder.glob(".*.partial"):
        draft.unlink(missing_ok=True)


def write_atomic(path: Path, content: str | bytes, *, durable: bool = False) -> None:
    """Write a whole file in one step; text becomes UTF-8. `OSError` names the file that cannot be written."""
    try:
        with replace_atomically(path, durable=durable) as draft:
            draft.write_bytes(content.encode() if isinstance(content, str) else content)
    except OSError as error:
        error.filename = str(path)  # that of the draft, or none where the disk is full
        raise


def sync_to_disk(file: IO[bytes] | IO[str] | FileIO) -> None:
    """Make durable what was appended to an open file, such as a line of a journal."""
    file.flush()
    os.fsync(file.fileno())


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
