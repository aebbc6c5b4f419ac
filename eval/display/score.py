"""Table of a scored prediction file: official and strict accuracy by task, with Wilson intervals."""

from rich.console import Console
from rich.table import Table

from eval.analysis.score import Counts, FileScore
from eval.display.rule_scores import format_rules
from eval.display.tables import add_rows, print_table
from eval.scoring.intervals import compute_wilson_interval
from services.terminal.counts import format_count


def print_score(title: str, score: FileScore, console: "Console") -> None:
    """Print both accuracies by task, each with its 95 % interval."""
    table = Table(title=f"{title}, key {score.key}", title_justify="left")
    table.add_column("task", overflow="fold")  # what gives way on a narrow terminal; numbers are never cut
    for heading in ("n", "official, 95 %", "strict, 95 %", "unread", "failed"):
        table.add_column(heading, justify="right", no_wrap=True)
    add_rows(table, score.by_task, score, _format_cells)
    print_table(table, console)
    for line in format_rules(score.rules) if score.rules else ():
        console.print(line, highlight=False, soft_wrap=True)
    if score.unscored:
        told = f"{format_count(len(score.unscored), 'row')} cannot be scored here and failed; {score.unscored[0]}."
        console.print(told, highlight=False, soft_wrap=True)
    if score.official_dropped:
        left_out = (
            f"The official script leaves out {score.official_dropped} of "
            f"{format_count(score.n, 'row')}, which it cannot read."
        )
        console.print(left_out, highlight=False, soft_wrap=True)


def _format_cells(counts: Counts) -> list[str]:
    shares = (
        _format_share(counts.correct_official, counts.n - counts.official_dropped),
        _format_share(counts.correct_strict, counts.n),
    )
    return [str(counts.n), *shares, str(counts.unread), str(counts.failed)]


def _format_share(num_correct: int, n: int) -> str:
    if not n:
        return "-"
    low, high = compute_wilson_interval(num_correct, n)
    return f"{100 * num_correct / n:.2f} [{100 * low:.1f}, {100 * high:.1f}]"
