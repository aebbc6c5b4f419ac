"""Run folder: durable (fsync) line by line, locked to one process, and resumable.

run.json           RunRecord: what was asked, of which models, with which prompts, on which machine
predictions.jsonl  one Prediction per finished item, in the order of finishing
summary.json       Summary: there once every item is finished
actions.json       ActionsTable: accuracy by number of actions used, where there was a budget for follow-ups
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import FileIO
from pathlib import Path
from time import monotonic

from filelock import FileLock, Timeout
from pydantic import ValidationError

from eval.scoring.scoring import RunSummary, Verdict
from eval.store.records import Prediction, RunRecord
from services.errors import BadConfig
from services.files import sync_to_disk, write_atomic
from services.journal import JournalFormat

PREDICTIONS = JournalFormat(Prediction, "a prediction of this version", "name another --out")
SYNC_EVERY_S = 0.2  # a line is safe from SIGKILL at once, and from a power cut after this time


@contextmanager
def open_run(folder: Path, record: RunRecord, *, retry_failed: bool = False) -> Iterator["RunFolder"]:
    """Open a run's folder for this process only, new or where it stopped.

    `retry_failed` forgets the items that failed. Raises `BadConfig` where the folder belongs to another
    run, or another process writes to it.
    """
    try:
        refuse_other(folder, record)
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadConfig(f"The run folder '{folder}' cannot be used: {error.strerror}.") from error
    with ExitStack() as opened:
        try:
            opened.enter_context(_lock(folder))
            _claim(folder, record)
            file = folder / "predictions.jsonl"
            if retry_failed:
                _forget_failed(file)
            verdicts = {one.id: one.verdict for one in PREDICTIONS.recover(file)}
            predictions = opened.enter_context(file.open("ab", buffering=0))
        except OSError as error:
            raise BadConfig(f"The run folder '{folder}' cannot be used: {error.strerror}.") from error
        run_folder = RunFolder(predictions, verdicts)
        yield run_folder
        run_folder.sync()


class RunFolder:
    """What is finished of a run, and where the next Prediction goes."""

    def __init__(self, predictions: FileIO, verdicts: dict[str, Verdict]) -> None:
        self.verdicts = verdicts
        """Of the finished items, by id."""
        self.lost: str | None = None
        """Why items finished from some point on are not on disk; None: all are."""
        self._predictions = predictions
        self._synced_at = 0.0

    @property
    def clock_s(self) -> float:
        """Running time that the run has taken so far."""
        return max((verdict.clock_s for verdict in self.verdicts.values()), default=0.0)

    def append(self, prediction: Prediction) -> None:
        """Put a finished item on disk before anything else happens.

        Where that fails, this item and all after it count without being kept: behind half a line nothing could be read.
        """
        self.verdicts[prediction.id] = prediction.verdict
        if self.lost is None:
            try:
                self._write(prediction.model_dump_json().encode() + b"\n")
            except OSError as error:
                self.lost = error.strerror or str(error)
        if self.lost is None and monotonic() - self._synced_at > SYNC_EVERY_S:
            self.sync()
            self._synced_at = monotonic()

    def sync(self) -> None:
        """Make durable what is written."""
        try:
            sync_to_disk(self._predictions)
        except OSError as error:
            self.lost = self.lost or error.strerror or str(error)

    def _write(self, line: bytes) -> None:
        while line:
            line = line[self._predictions.write(line) :]


def write_summary(folder: Path, summary: RunSummary) -> None:
    """Write summary.json: every item is finished."""
    write_atomic(folder / "summary.json", summary.model_dump_json(indent=1), durable=True)


def is_finished(folder: Path) -> bool:
    """Tell whether every item of a run is finished."""
    return (folder / "summary.json").is_file()


@contextmanager
def _lock(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout as error:
        raise BadConfig(f"Run folder {str(folder)!r} is in use by another process.") from error


def refuse_other(folder: Path, record: RunRecord) -> None:
    """Raise `BadConfig` that names the differences, if the folder holds another run than this."""
    earlier = read_record(folder)
    if earlier and (differences := earlier.list_differences(record)):
        raise BadConfig(
            f"Run folder {str(folder)!r} holds another run: {'; '.join(differences)}. "
            "Name another folder with --out, or remove this one."
        )


def _claim(folder: Path, record: RunRecord) -> None:
    """Write run.json; of a run that goes on, add where, if that is new."""
    earlier, here = read_record(folder), record.environments[-1]
    if earlier and here.is_same_place(earlier.environments[-1]):
        return
    seen = earlier.environments if earlier else ()
    claimed = record.model_copy(update={"environments": (*seen, here)})
    write_atomic(folder / "run.json", claimed.model_dump_json(indent=1), durable=True)


def _forget_failed(file: Path) -> None:
    kept = [one.line for one in PREDICTIONS.read(file) if one.row.failed is None]
    write_atomic(file, b"".join(kept), durable=True)
    file.with_name("summary.json").unlink(missing_ok=True)


def read_record(folder: Path) -> RunRecord | None:
    """Return run.json; None where the folder holds none, `BadConfig` where it is not of this version."""
    file = folder / "run.json"
    if not file.exists():
        return None
    try:
        return RunRecord.model_validate_json(file.read_bytes())
    except ValidationError as error:
        raise BadConfig(
            f"{str(file)!r} is not a run record of this version; name another folder with --out."
        ) from error


def require_record(folder: Path) -> RunRecord:
    """Return run.json; `BadConfig` where the folder holds none that can be read."""
    record = read_record(folder)
    if record is None:
        raise BadConfig(f"{str(folder)!r} is not a run folder: it holds no run.json.")
    return record
