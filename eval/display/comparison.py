"""Table of a paired comparison of two results, with McNemar's test and the intervals."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from eval.analysis.compare import Comparison, GroupComparison, Side
from eval.display.tables import print_table
from eval.scoring.intervals import warn_of_few
from services.terminal.counts import format_count


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print the comparison: whole, by task and by category."""
    a, b, n = comparison.a, comparison.b, comparison.n
    console.print(f"A  {_format_side(a, n)}", f"B  {_format_side(b, n)}", sep="\n", highlight=False, soft_wrap=True)
    print_table(_format_agreement(comparison), console)
    for line in _format_findings(comparison):
        console.print(line, highlight=False, soft_wrap=True)
    for title, groups in (("by task", comparison.by_task), ("by category", comparison.by_category)):
        if len(groups) > 1:
            print_table(_group_table(title, groups), console)


def _format_side(side: Side, n: int) -> str:
    low, high = side.wilson_95
    unpaired = f", {format_count(side.unpaired, 'item')} left out that the other lacks" if side.unpaired else ""
    return (
        f"{side.name}: {side.correct} of {n} right, {side.correct / n:.2%} [{low:.1%}, {high:.1%}], "
        f"{side.unread} unread, {side.failed} failed{unpaired}"
    )


def _format_agreement(comparison: Comparison) -> Table:
    table = Table(
        "",
        "B right",
        "B wrong",
        title=f"{format_count(comparison.n, 'item')}, {comparison.scorer} score",
        title_justify="left",
    )
    table.add_row("A right", str(comparison.both_right), str(comparison.only_a))
    table.add_row("A wrong", str(comparison.only_b), str(comparison.both_wrong))
    return table


def _format_findings(comparison: Comparison) -> Iterable[str]:
    low, high = comparison.ci_95
    clustered = comparison.clustered_se is not None and comparison.clustered_p is not None
    error = f" (clustered {100 * comparison.clustered_se:.2f})" if comparison.clustered_se is not None else ""
    yield (
        f"A - B: {100 * comparison.difference:+.2f} points [{100 * low:+.2f}, {100 * high:+.2f}], "
        f"standard error {100 * comparison.se:.2f}{error}, Cohen's h {comparison.cohens_h:+.3f}"
    )
    yield f"McNemar, exact: p = {comparison.mcnemar_p:.3g}"
    if comparison.num_clusters is not None:
        sources = "source" if comparison.num_clusters == 1 else "sources"
        shared = f"Items share {comparison.num_clusters} {sources}"
        tested = f": the interval is clustered, and p by it {comparison.clustered_p:.3g}" if clustered else ""
        yield f"{shared}{tested}.{warn_of_few(comparison.num_clusters)}"
    yield (
        f"Always the better of the two answers: {comparison.oracle:.2%}; the better side for each task, chosen on "
        f"these items: {comparison.switch_by_task:.2%}"
    )
    points = min(100.0, 100 * comparison.detectable_difference)
    yield (
        f"With {format_count(comparison.n, 'item')}, {points:.1f} points are found with 80 % power; "
        "a smaller difference may be there and not show."
    )


def _group_table(title: str, groups: Sequence[GroupComparison]) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(title.removeprefix("by "), overflow="fold")
    for heading in ("n", "A", "B", "A - B, 95 %", "p", "p (Holm)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for group in groups:
        interval = "" if group.ci_95 is None else f" [{100 * group.ci_95.low:+.1f}, {100 * group.ci_95.high:+.1f}]"
        shares = (f"{100 * correct / group.n:.1f}" for correct in (group.correct_a, group.correct_b))
        difference = f"{100 * group.difference:+.1f}{interval}"
        table.add_row(group.name, str(group.n), *shares, difference, f"{group.p:.3g}", f"{group.p_holm:.3g}")
    return table
