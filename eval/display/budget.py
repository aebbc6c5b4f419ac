"""Accuracy against the budget of follow-up questions, as a table and as a plot."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from eval.analysis.budget import ActionsTable, AtBudget
from eval.display.tables import print_table


def print_budget_curves(found: Sequence[AtBudget], console: Console) -> None:
    """Print a table."""
    table = Table(title="Strict accuracy against budget, set beside no follow-ups", title_justify="left")
    for column in ("asks", "budget", "n", "%", "95 %", "won", "lost", "p", "actions"):
        table.add_column(column, justify="left" if column == "asks" else "right", no_wrap=True)
    for one in found:
        low, high = (100 * bound for bound in one.interval)
        shown = (f"{100 * one.accuracy:.1f}", f"{low:.1f}-{high:.1f}", str(one.gained), str(one.lost), f"{one.p:.2g}")
        table.add_row(one.group, str(one.budget), str(one.n), *shown, f"{one.actions:.2f}")
    print_table(table, console)


def print_actions(found: ActionsTable, console: Console) -> None:
    """Print accuracy by number of actions used."""
    table = Table(
        title="Strict accuracy by actions used, set beside hearing once on the same items", title_justify="left"
    )
    with_lalm = any(one.num_correct_lalm is not None for one in found.rows)
    for column in ("actions", "n", "%", "% once", *(["% LALM"] if with_lalm else []), "won", "lost", "p"):
        table.add_column(column, justify="right", no_wrap=True)
    for one in found.rows:
        counts = (one.num_correct, one.num_correct_once, one.num_correct_lalm)
        shares = (f"{100 * right / one.n:.1f}" for right in counts if right is not None)
        table.add_row(str(one.actions), str(one.n), *shares, str(one.gained), str(one.lost), f"{one.p:.2g}")
    print_table(table, console)


def draw_budget_curves(found: Sequence[AtBudget], folder: Path) -> Path:
    """Draw the curves into the run folder."""
    from eval.display.plots import BudgetPoint, draw_accuracy_against_budget

    out = folder / "budget.svg"
    draw_accuracy_against_budget(
        [BudgetPoint(f"{one.group} ({one.n})", one.budget, one.accuracy, one.interval) for one in found], out
    )
    return out
