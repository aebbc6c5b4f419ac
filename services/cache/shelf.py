"""Disk cache of statements: one small file per key, evicted least recently used above a limit on total size.

Several processes share the folder: each looks at its real size whenever it has written a hundredth of the bound.
"""

from collections.abc import Iterator
from os import stat_result
from pathlib import Path
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from services.files import atomic_file
from services.types import Evidence

Statements: TypeAlias = tuple[Evidence, ...]

KEPT = 0.9  # of the bound, where something has to go
LOOK_AFTER = 0.01  # of the bound

_STATEMENTS = TypeAdapter(Statements)


class StatementStore:
    """A folder of statements with least-recently-used eviction.

    Args:
        folder: of all that is kept.
        max_bytes: most bytes in that folder, exceeded by a hundredth for each process that writes.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        self._num_unseen = max_bytes  # bytes that may be there beyond what was last seen: all, before the first look

    def read(self, name: str) -> Statements | None:
        """Return what is stored, or None where nothing is, or a file that a crash left damaged."""
        path = self._folder / name
        try:
            statements = _STATEMENTS.validate_json(path.read_bytes())
            path.touch()
        except (FileNotFoundError, ValidationError):
            return None
        return statements

    def write(self, name: str, statements: Statements) -> None:
        """Store statements, and make room where that takes too much."""
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = _STATEMENTS.dump_json(statements)
        with atomic_file(path) as draft:
            draft.touch(mode=0o600)  # what was said in a clip is its owner's to read
            draft.write_bytes(content)
        self._num_unseen += len(content)
        if self._num_unseen > LOOK_AFTER * self._max_bytes:
            self._num_unseen = 0
            self._make_room()

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


def _list_files(folder: Path) -> Iterator[tuple[Path, stat_result]]:
    """Yield the files; another process may take some away meanwhile."""
    for path in folder.rglob("*"):
        try:
            facts = path.stat()
        except FileNotFoundError:
            continue
        if path.is_file():
            yield path, facts
