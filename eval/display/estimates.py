"""Table of what a study would ask and cost."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from eval.display.tables import print_table
from eval.run.estimate import Estimate


def print_estimates(estimates: Sequence[Estimate], console: Console) -> None:
    """Print requests, tokens and, with a price, dollars of each column, and their sums."""
    table = Table("column")
    for heading in ("runs", "requests", "tokens, about", "$, about"):
        table.add_column(heading, justify="right")
    for one in estimates:
        table.add_row(one.column, str(one.runs), str(one.requests), str(one.tokens), _format(one.dollars))
    known = [one.dollars for one in estimates if one.dollars is not None]
    totals = (sum(one.runs for one in estimates), sum(one.requests for one in estimates))
    table.add_section()
    tokens = sum(one.tokens for one in estimates)
    table.add_row("all", *map(str, totals), str(tokens), _format(sum(known) if known else None))
    print_table(table, console)


def _format(dollars: float | None) -> str:
    return "-" if dollars is None else f"{dollars:.2f}"
