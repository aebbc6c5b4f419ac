"""The folder of a run: durable line by line, and resumed where it stopped.

run.json           RunRecord: what was asked, of which models, with which prompts, on which machine
predictions.jsonl  one Prediction per finished item, in the order of finishing
summary.json       Summary: there once every item is finished
"""

import os
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import IO, Self

from filelock import FileLock, Timeout
from pydantic import ValidationError

from eval.records import Prediction, RunRecord
from eval.scoring import Summary, Verdict
from services.errors import BadConfig

SYNC_EVERY_S = 0.2  # a line is safe from SIGKILL at once, and from a power cut after this time


class RunFolder:
    """A run on disk, open in this process only: what is finished, and where the next Prediction goes."""

    verdicts: dict[str, Verdict]
    """Of the finished items, by id."""

    def __init__(self, folder: Path, record: RunRecord, *, retry_failed: bool = False) -> None:
        self._folder = folder
        self._record = record
        self._retry_failed = retry_failed
        self._lock = FileLock(folder / ".lock", timeout=0)
        self._synced_at = 0.0

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            self._lock.acquire()
        except Timeout as error:
            raise BadConfig(f"Run folder {str(self._folder)!r} is in use by another process.") from error
        self._claim()
        self._file.touch()
        self.verdicts = {prediction.id: prediction.verdict for prediction in self._recover()}
        self._predictions: IO[bytes] = self._file.open("ab")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.fsync(self._predictions.fileno())
        self._predictions.close()
        self._lock.release()

    @property
    def clock_s(self) -> float:
        """Running time that earlier sessions have spent."""
        return max((verdict.clock_s for verdict in self.verdicts.values()), default=0.0)

    @property
    def _file(self) -> Path:
        return self._folder / "predictions.jsonl"

    def append(self, prediction: Prediction) -> None:
        """Put a finished item on disk before anything else happens."""
        self._predictions.write(prediction.model_dump_json().encode() + b"\n")
        self._predictions.flush()
        if monotonic() - self._synced_at > SYNC_EVERY_S:
            os.fsync(self._predictions.fileno())
            self._synced_at = monotonic()
        self.verdicts[prediction.id] = prediction.verdict

    def write_summary(self, summary: Summary) -> None:
        """Write summary.json: the run is finished."""
        _replace(self._folder / "summary.json", summary.model_dump_json(indent=1).encode())

    def _claim(self) -> None:
        """Write run.json, or check that the folder belongs to this very run."""
        file = self._folder / "run.json"
        if not file.exists():
            _replace(file, self._record.model_dump_json(indent=1).encode())
            return
        earlier = _read_record(file)
        if differences := earlier.differences(self._record):
            raise BadConfig(
                f"Run folder {str(self._folder)!r} holds another run: {'; '.join(differences)}. "
                "Name another folder with --out, or remove this one."
            )
        here = self._record.environments[-1]
        if not here.same_place(earlier.environments[-1]):
            moved = earlier.model_copy(update={"environments": (*earlier.environments, here)})
            _replace(file, moved.model_dump_json(indent=1).encode())

    def _recover(self) -> Iterator[Prediction]:
        """Yield what is finished; cut off a last line that a crash left unfinished."""
        if self._retry_failed:
            kept = [line for line, prediction in _whole_lines(self._file) if prediction.failed is None]
            _replace(self._file, b"".join(kept))
        num_bytes = 0
        for line, prediction in _whole_lines(self._file):
            num_bytes += len(line)
            yield prediction
        os.truncate(self._file, num_bytes)


def _whole_lines(file: Path) -> Iterator[tuple[bytes, Prediction]]:
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                prediction = Prediction.model_validate_json(line)
            except ValidationError as error:
                if lines.read(1):
                    raise BadConfig(f"{str(file)!r}, line {number} is no prediction; name another --out.") from error
                return
            if not line.endswith(b"\n"):
                return
            yield line, prediction


def _read_record(file: Path) -> RunRecord:
    try:
        return RunRecord.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadConfig(f"{str(file)!r} is no run record of this version; name another folder with --out.") from error


def _replace(file: Path, content: bytes) -> None:
    """Write a file in one step, so that a crash leaves the old one or the new one."""
    part = file.with_name(file.name + ".part")
    with part.open("wb") as target:
        target.write(content)
        target.flush()
        os.fsync(target.fileno())
    part.replace(file)
