"""Append-only journals: JSON lines that long work writes as it goes, and from which an interrupted command resumes.

A crash may leave a last line that is cut short. Readers leave it out, and it is cut off before anything is appended.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Generic, NamedTuple

from pydantic import BaseModel, ValidationError

from services.errors import BadConfig, word_problem
from services.files import sync_to_disk
from services.json_lines import RowT


class JournalRow(NamedTuple, Generic[RowT]):
    """A whole line of a journal."""

    row: RowT
    line: bytes
    """As it is on disk, with its line feed."""
    end: int
    """Bytes of the file up to its end."""


@dataclass(frozen=True, slots=True)
class JournalFormat(Generic[RowT]):
    """What the lines of a journal are."""

    kind: type[RowT]
    name: str
    """Of a row, with its article, for the message about a line that is none."""
    cure: str
    """What to do about such a line."""

    def read(self, path: Path) -> Iterator[JournalRow[RowT]]:
        """Yield the whole lines; none where there is no file.

        Raises:
            BadConfig: a line before the last one is not a row.
        """
        if not path.exists():
            return
        end = 0
        with path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                end += len(line)
                try:
                    row = self.kind.model_validate_json(line)
                except ValidationError as error:
                    if lines.read(1):
                        problem = word_problem(error.errors()[0])
                        place = f"{str(path)!r}, line {number}"
                        raise BadConfig(f"{place} is not {self.name} ({problem}); {self.cure}.") from error
                    return
                if line.endswith(b"\n"):
                    yield JournalRow(row, line, end)

    def recover(self, path: Path) -> list[RowT]:
        """Return the rows, and make the file ready to be appended to: it exists, and ends with a whole line.

        Raises:
            BadConfig: a line before the last one is not a row.
            OSError: the file cannot be written to.
        """
        path.touch()
        whole = list(self.read(path))
        os.truncate(path, whole[-1].end if whole else 0)
        return [one.row for one in whole]


def cut_torn_line(path: Path) -> None:
    """Make a text file ready to be appended to: it exists, and what a crash left behind the last line feed is gone."""
    path.touch()
    os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def append_row(file: IO[bytes], row: BaseModel, *, durable: bool = False) -> None:
    """Append a row to a journal that is open: safe from the death of this process, or `durable` from a power cut."""
    file.write(row.model_dump_json().encode() + b"\n")
    if durable:
        sync_to_disk(file)
    else:
        file.flush()
