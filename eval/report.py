"""Records to what a person looks at: the bar while a run goes on, and its table."""

from collections.abc import Iterable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from eval.records import Prediction
from eval.scoring import Score, Summary, Verdict

REFRESH_PER_S = 4


class LiveBar:
    """The progress of a run on stderr: items, accuracy so far, time left, and each failure as it comes."""

    def __init__(self, num_items: int, finished: Iterable[Verdict]) -> None:
        earlier = list(finished)
        self._num_done = len(earlier)
        self._num_correct = sum(verdict.correct_strict for verdict in earlier)
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[accuracy]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            refresh_per_second=REFRESH_PER_S,
        )
        self._task = self._progress.add_task("", total=num_items, completed=self._num_done, accuracy=self._accuracy())

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def add(self, prediction: Prediction) -> None:
        """Count a finished item."""
        self._num_done += 1
        self._num_correct += prediction.correct_strict
        self._progress.update(self._task, advance=1, accuracy=self._accuracy())
        if prediction.failed is not None:
            last_line = prediction.failed.strip().splitlines()[-1]
            self.say(f"failed: {prediction.id}: {last_line}")

    def say(self, line: str) -> None:
        """Print a line above the bar."""
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def _accuracy(self) -> str:
        return f"{self._num_correct / self._num_done:.1%} right" if self._num_done else ""


def print_table(title: str, summary: Summary, console: Console) -> None:
    """Print accuracy by task with its 95 % interval, and what was unread or failed."""
    table = Table(title=title, title_justify="left")
    table.add_column("task")
    for heading in ("n", "right", "accuracy", "95 % interval", "unread", "failed"):
        table.add_column(heading, justify="right")
    for task, counted in summary.by_task.items():
        table.add_row(task, *_cells(counted))
    table.add_section()
    table.add_row("all", *_cells(summary), style="bold")
    console.print(table)
    rate = summary.n / summary.wall_s if summary.wall_s else 0.0
    console.print(f"{summary.wall_s:.1f} s in all, {rate:.2f} items per second")


def _cells(counted: Score) -> list[str]:
    low, high = counted.wilson_95
    accuracy = f"{counted.correct_strict / counted.n:.1%}" if counted.n else "-"
    counts = [str(counted.n), str(counted.correct_strict), accuracy, f"{low:.1%} to {high:.1%}"]
    return [*counts, str(counted.unread), str(counted.failed)]
