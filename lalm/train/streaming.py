"""Streaming of rows: files larger than memory are read a buffer at a time, in an order that depends on seed and epoch.

A survey reads each file once, checks every row, and notes where stretches begin: rows that follow one another, a
sixteenth of a buffer. Each epoch shuffles the stretches of all files and fills buffers with them, so a buffer mixes
rows from all over the files, while rows about one clip, which stand together, stay together. Where all rows fit into
one buffer, they stand in it as in the files, and the training is the same as without a buffer.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from lalm.messages import Conversation, LocatedConversation, locate_conversations
from lalm.train.config import DataConfig
from services.errors import BadConfig
from services.json_lines import FIRST_LINE, LinePlace
from services.progress import report_stage

STRETCHES = 16  # of a buffer: from as many places of the files


class DrawnRow(NamedTuple):
    """A row, and how often it is drawn per epoch."""

    row: Conversation
    weight: float


class Stretch(NamedTuple):
    """Rows that follow one another in a file."""

    source: int
    """Number of the file."""
    place: LinePlace
    num_rows: int


class RowStream:
    """Training rows in files, of which a buffer at a time is in memory.

    Args:
        config: files, weights and styles.
        buffer: rows that are in memory.
        root: folder that the paths of files start from.
        seed: of the order.
        held: clips and recordings of the validation rows, which no row may share.

    Raises:
        BadConfig: a row is not valid, or shares a clip or recording with the validation rows; it names file and line.
    """

    def __init__(self, config: DataConfig, buffer: int, root: Path, *, seed: int, held: frozenset[str]) -> None:
        self._config, self._buffer, self._root, self._seed = config, buffer, root, seed
        self._stretches = tuple(
            stretch for number in range(len(config.files)) for stretch in self._survey(number, held)
        )
        self.num_rows = sum(one.num_rows for one in self._stretches)
        self.num_drawn = sum(one.num_rows * config.files[one.source].weight for one in self._stretches)
        """Rows drawn per epoch, on average."""

    def list_buffers(self, epoch: int) -> list[tuple[Stretch, ...]]:
        """List the buffers of an epoch; the stretches of each stand in the order of the files."""
        rng = random.Random(f"{self._seed} stretches {epoch}")  # noqa: S311 - no secret
        buffers: list[list[Stretch]] = [[]]
        num_rows = 0
        for one in rng.sample(self._stretches, len(self._stretches)):
            if buffers[-1] and num_rows + one.num_rows > self._buffer:
                buffers.append([])
                num_rows = 0
            buffers[-1].append(one)
            num_rows += one.num_rows
        return [tuple(sorted(one)) for one in buffers]

    def read(self, stretches: Sequence[Stretch]) -> list[DrawnRow]:
        """Read the rows of a buffer."""
        return [
            DrawnRow(found.row, self._config.files[one.source].weight)
            for one in stretches
            for found in islice(self._locate(one.source, one.place), one.num_rows)
        ]

    def _survey(self, number: int, held: frozenset[str]) -> Iterator[Stretch]:
        """Check the rows of a file, and yield its stretches."""
        size, path = max(1, self._buffer // STRETCHES), self._root / self._config.files[number].file
        rows = self._locate(number)
        with report_stage(f"check {path.name}", path.stat().st_size if path.is_file() else None, "bytes") as running:
            while part := [_check(found, path, held) for found in islice(rows, size)]:
                running.advance_to(part[-1].byte)
                yield Stretch(number, part[0], len(part))

    def _locate(self, number: int, place: LinePlace = FIRST_LINE) -> Iterator[LocatedConversation]:
        """Yield the rows of a file that have one of the wanted styles, from a line on."""
        styles, path = self._config.styles, self._root / self._config.files[number].file
        return (one for one in locate_conversations(path, place) if not styles or one.row.style in styles)


def _check(found: LocatedConversation, path: Path, held: frozenset[str]) -> LinePlace:
    """Return the place of a row that shares nothing with the validation rows."""
    if shared := held.intersection(list_origins(found.row)):
        raise BadConfig(
            f"{path}:{found.place.number} is about {min(shared)!r}, which data.validation_files has too: leave it out "
            "of one."
        )
    return found.place


def list_origins(row: Conversation) -> set[str]:
    """List the clips, by path, and the recordings that a row is about."""
    return {*row.audio_paths, *row.recordings}
