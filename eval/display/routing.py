"""Table and plot of the ways to choose between two arms: accuracy, McNemar tests, and cost per question."""

from pathlib import Path

from rich.console import Console
from rich.table import Table

from eval.display.tables import print_table
from eval.routing.routing import ONCE, ROUTER, RoutingTable
from eval.scoring.intervals import compute_wilson_interval
from services.terminal.counts import format_count


def print_routing(table: RoutingTable, console: Console) -> None:
    """Print the ways to choose, one a row: how good they are, then where and at what cost."""
    has_once = any(row.name == ONCE for row in table.rows)
    once = ["p once"] if has_once else []
    good = _make_empty(
        f"{format_count(table.n, 'question')}, {table.discordant} with one arm right",
        "right",
        "95 %",
        "p",
        *once,
        "head-room",
    )
    tasks = list(table.rows[0].by_task)
    cost = _make_empty("Right by task, and cost per question", *tasks, "s", "tokens")
    for row in table.rows:
        low, high = row.wilson_95
        good.add_row(
            row.name,
            f"{row.correct / row.n:.1%}",
            f"{100 * low:.1f}–{100 * high:.1f}",
            _format_or_dash(row.mcnemar_p, ".3g"),
            *(_format_or_dash(row.mcnemar_p_once, ".3g") for _ in once),
            _format_or_dash(row.headroom, ".0%"),
        )
        shares = (f"{row.by_task[task]:.1%}" for task in tasks)
        cost.add_row(row.name, *shares, _format_or_dash(row.seconds, ".2f"), _format_or_dash(row.tokens, ".0f"))
    print_table(good, console)
    beside = f"; p once: against {ONCE}" if has_once else ""
    console.print(
        f"p: exact McNemar against the better arm, {table.better_arm} only{beside}; head-room: share of the way from "
        "the better arm to the oracle.",
        highlight=False,
    )
    print_table(cost, console)
    if table.cached:
        console.print(
            f"The cascade found {table.cached} captions, transcripts and readings in the cache: "
            "their seconds are not in it.",
            highlight=False,
        )
    if table.failed:
        console.print(f"Left out: {format_count(table.failed, 'question')} at which an arm failed.", highlight=False)


def _make_empty(title: str, *headings: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("way", no_wrap=True)
    for heading in headings:
        table.add_column(heading, justify="right")
    return table


def _format_or_dash(figure: float | None, form: str) -> str:
    return "-" if figure is None else format(figure, form)


def draw_routing(table: RoutingTable, out: Path) -> None:
    """Draw accuracy against seconds per question as SVG."""
    from eval.display.plots import CostPoint, draw_accuracy_against_cost

    dots = [
        CostPoint(row.name, row.seconds, row.correct / row.n, row.wilson_95)
        for row in table.rows
        if row.seconds is not None
    ]
    curve = [
        CostPoint(ROUTER, point.seconds, point.correct / table.n, compute_wilson_interval(point.correct, table.n))
        for point in table.curve
    ]
    draw_accuracy_against_cost(dots, curve, out)
