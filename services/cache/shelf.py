"""Disk cache of small JSON files, one per key, evicted least recently used above a limit on total size.

Several processes share the folder: each looks at its real size whenever it has written a hundredth of the bound. A
folder that cannot be read or written costs the cache, with one line in the log, and never an answer.
"""

from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from os import stat_result
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter, ValidationError

from services.files import replace_atomically
from services.telemetry.log_lines import LOGGER

Content = TypeVar("Content")

KEPT = 0.9  # of the bound, where something has to go
LOOK_AFTER = 0.01  # of the bound


class DiskCache(Generic[Content]):
    """A folder of files with least-recently-used eviction.

    Args:
        folder: of all that is kept, whatever its type.
        content: reads and writes what is kept as JSON.
        max_bytes: most bytes in that folder, exceeded by a hundredth for each process that writes; 0: nothing is kept,
            and what was kept before is not read.
    """

    def __init__(self, folder: Path, content: TypeAdapter[Content], max_bytes: int) -> None:
        self._folder, self._content, self._max_bytes = folder, content, max_bytes
        self._num_unseen = max_bytes  # bytes that may be there beyond what was last seen: all, before the first look

    def read(self, name: str) -> Content | None:
        """Return what is stored, or None where nothing is, or a file that is damaged or cannot be read."""
        if not self._max_bytes:
            return None
        path = self._folder / name
        try:
            found = self._content.validate_json(path.read_bytes())
        except (OSError, ValidationError):
            return None
        with suppress(OSError):  # a disk that is full or read-only
            path.touch()
        return found

    def write(self, name: str, made: Content) -> None:
        """Store what was made, and make room where that takes too much."""
        if not self._max_bytes:
            return
        content = self._content.dump_json(made)
        try:
            self._write(self._folder / name, content)
            self._num_unseen += len(content)
            if self._num_unseen > LOOK_AFTER * self._max_bytes:
                self._num_unseen = 0
                self._make_room()
        except OSError as error:
            _warn_once(self._folder, error.strerror or str(error))

    def _write(self, path: Path, content: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_atomically(path) as draft:
            draft.touch(mode=0o600)  # what was said in a clip, or about it, is its owner's to read
            draft.write_bytes(content)

    def _make_room(self) -> None:
        files = list(_list_files(self._folder))
        num_bytes = sum(facts.st_size for _, facts in files)
        if num_bytes <= self._max_bytes:
            return
        for path, facts in sorted(files, key=lambda file: file[1].st_mtime_ns):
            if num_bytes <= KEPT * self._max_bytes:
                break
            path.unlink(missing_ok=True)
            num_bytes -= facts.st_size


@cache
def _warn_once(folder: Path, reason: str) -> None:
    LOGGER.warning("The cache in '%s' cannot be written (%s): what is heard and read now is not kept.", folder, reason)


def _list_files(folder: Path) -> Iterator[tuple[Path, stat_result]]:
    """Yield the files; another process may take some away meanwhile."""
    for path in folder.rglob("*"):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            yield path, facts
