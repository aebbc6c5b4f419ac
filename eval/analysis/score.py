"""`eval score`: anybody's prediction file, by the official matcher and by the strict reading of replies."""

from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from eval.benchmarks import BENCHMARKS
from eval.scoring.scoring import Verdict, wilson_95
from eval.store.stored import open_stored
from services.catalog import pick
from services.errors import BadConfig
from services.types import Value

if TYPE_CHECKING:
    from rich.console import Console


class Counts(Value):
    """What a scorer counts; unread and failed rows are wrong, and in `n`."""

    n: int
    correct_official: int
    correct_strict: int
    unread: int
    """Replies in which no option could be read."""
    failed: int
    """Rows without a reply."""


class FileScore(Counts):
    """What `eval score --json` prints."""

    key: str
    """What the file calls a prediction."""
    by_task: dict[str, Counts]


def score_file(path: Path, bench: str, key: str | None = None) -> FileScore:
    """Score a prediction file or a run folder; `BadConfig` names file, row and field of what cannot be used."""
    pick(BENCHMARKS, "benchmark", bench)
    stored = open_stored(path, key)
    if any(verdict.withheld for verdict in stored.verdicts):
        raise BadConfig(f"{stored.name!r} cannot be scored here: its answers are withheld.")
    groups: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in stored.verdicts:
        groups[verdict.task].append(verdict)
    by_task = {task: Counts(**_counts(groups[task])) for task in sorted(groups) if task}
    return FileScore(**_counts(stored.verdicts), key=stored.key, by_task=by_task)


def _counts(verdicts: list[Verdict]) -> dict[str, int]:
    return {
        "n": len(verdicts),
        "correct_official": sum(verdict.correct_official for verdict in verdicts),
        "correct_strict": sum(verdict.correct_strict for verdict in verdicts),
        "unread": sum(verdict.unread for verdict in verdicts),
        "failed": sum(verdict.failed for verdict in verdicts),
    }


def print_score(title: str, score: FileScore, console: "Console") -> None:
    """Print both accuracies by task, each with its 95 % interval."""
    from rich.table import Table

    table = Table(title=f"{title}, key {score.key}", title_justify="left")
    table.add_column("task", overflow="fold")  # what gives way on a narrow terminal; numbers are never cut
    for heading in ("n", "official, 95 %", "strict, 95 %", "unread", "failed"):
        table.add_column(heading, justify="right", no_wrap=True)
    for task, counts in score.by_task.items():
        table.add_row(task, *_cells(counts))
    table.add_section()
    table.add_row("all", *_cells(score), style="bold")
    console.print(table)


def _cells(counts: Counts) -> list[str]:
    shares = (_share(correct, counts.n) for correct in (counts.correct_official, counts.correct_strict))
    return [str(counts.n), *shares, str(counts.unread), str(counts.failed)]


def _share(num_correct: int, n: int) -> str:
    low, high = wilson_95(num_correct, n)
    return f"{100 * num_correct / n:.2f} [{100 * low:.1f}, {100 * high:.1f}]"
