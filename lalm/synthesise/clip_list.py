"""List of the clips made so far: metadata as JSON lines, from which an interrupted synthesis resumes."""

from pathlib import Path
from types import TracebackType
from typing import Self

from lalm.distill.metadata import Metadata, read_metadata
from services.errors import BadConfig
from services.files import sync_to_disk, write_atomic
from services.journal import cut_torn_line

CLIPS, ORIGIN = "clips.jsonl", "synthesis.json"
CLIPS_PER_SYNC = 50


class ClipList:
    """Appends the metadata of clips, in the order in which they are made.

    Args:
        folder: of the output; that of another configuration is refused.
        origin: everything that the clips depend on, as JSON.

    Raises:
        BadConfig: the folder cannot be written to, or holds other clips.
    """

    def __init__(self, folder: Path, origin: str) -> None:
        self._path, mark = folder / CLIPS, folder / ORIGIN
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if mark.exists() and mark.read_text(encoding="utf-8") != origin:
                raise BadConfig(
                    f"'{folder}' holds clips of another configuration or version: name another output, or delete it."
                )
            write_atomic(mark, origin)
            cut_torn_line(self._path)
            self.rows = list(read_metadata(self._path))
            self._file = self._path.open("a", encoding="utf-8")
        except OSError as error:
            raise BadConfig(f"The output '{folder}' cannot be written: {error.strerror}.") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        sync_to_disk(self._file)
        self._file.close()

    def append(self, row: Metadata) -> None:
        """Append a clip whose file is written."""
        self._file.write(row.model_dump_json(exclude_defaults=True) + "\n")
        self.rows.append(row)
        if len(self.rows) % CLIPS_PER_SYNC == 0:
            sync_to_disk(self._file)
