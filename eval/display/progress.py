"""Progress bar of a run, on stderr."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import partial
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from eval.run.progress import watch_passes
from eval.scoring.scoring import Verdict
from eval.store.records import Prediction

REFRESH_PER_S = 4
MAX_FAILURES_SHOWN = 20  # the rest is counted, and on disk


def show_passes(*, quiet: bool) -> AbstractContextManager[None]:
    """Show the progress of all passes of the block; if quiet, only failures and notes."""
    return watch_passes(partial(LiveBar, quiet=quiet))


class LiveBar:
    """The progress of a pass on stderr: items, accuracy so far, failures, time left, and the first failures."""

    def __init__(self, num_items: int, finished: Iterable[Verdict], title: str = "", *, quiet: bool = False) -> None:
        earlier = list(finished)
        self._num_done = len(earlier)
        self._num_correct = sum(verdict.correct_strict for verdict in earlier)
        self._num_failed = sum(verdict.failed for verdict in earlier)
        self._num_withheld = sum(verdict.withheld for verdict in earlier)
        self._num_shown = 0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[accuracy]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True, markup=False),
            refresh_per_second=REFRESH_PER_S,
            disable=quiet,
        )
        self._task = self._progress.add_task(
            title, total=num_items, completed=self._num_done, accuracy=self._format_accuracy()
        )

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def add(self, prediction: Prediction) -> None:
        """Count a finished item."""
        self._num_done += 1
        self._num_correct += prediction.correct_strict
        self._num_failed += prediction.failed is not None
        self._num_withheld += prediction.answer is None
        self._progress.update(self._task, advance=1, accuracy=self._format_accuracy())
        if prediction.failed is not None and self._num_shown <= MAX_FAILURES_SHOWN:
            self._show_failure(prediction.id, prediction.failed)

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _show_failure(self, id: str, error: str) -> None:
        self._num_shown += 1
        if self._num_shown > MAX_FAILURES_SHOWN:
            self.say("failed: and more; predictions.jsonl names each.")
        else:
            self.say(f"failed: {id}: {error.strip().splitlines()[-1]}")

    def _format_accuracy(self) -> str:
        parts = []
        if self._num_done > self._num_withheld:
            parts.append(f"{self._num_correct / (self._num_done - self._num_withheld):.1%} right")
        if self._num_failed:
            parts.append(f"{self._num_failed} failed")
        return ", ".join(parts)
