"""Tables of three or more results: who wins in each task and category, and at what cost."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from eval.analysis.contest import Contest, Contestant, GroupWinner
from eval.display.tables import print_table


def print_contest(found: Contest, console: Console) -> None:
    """Print each result, then who wins where."""
    for one in found.contestants:
        low, high = one.wilson_95
        cost = "" if one.seconds is None else f", {one.seconds:.2f} s per question"
        cached = f" without {one.cached} captions, transcripts and readings from the cache" if one.cached else ""
        left_out = f", {one.unpaired} items left out that not all have" if one.unpaired else ""
        console.print(
            f"{one.name}: {one.correct} of {found.n} right, {one.correct / found.n:.2%} [{low:.1%}, {high:.1%}]"
            f"{cost}{cached}{left_out}",
            highlight=False,
            soft_wrap=True,
        )
    print_table(_build_table("all", (found.overall,), found.contestants), console)
    for title, fields in (("task", found.by_task), ("category", found.by_category)):
        if len(fields) > 1:
            print_table(_build_table(title, fields, found.contestants), console)
    console.print(
        "p: of the leader against the others, the largest, Holm over every pair in every row; s more: seconds per "
        "question that the leader takes more than the next; points per s: its lead over them.",
        highlight=False,
        soft_wrap=True,
    )


def _build_table(title: str, fields: Sequence[GroupWinner], contestants: Sequence[Contestant]) -> Table:
    table = Table(title=f"by {title}" if title != "all" else None, title_justify="left")
    table.add_column(title)
    for heading in ("n", *(one.name for one in contestants)):
        table.add_column(heading, justify="right")
    for heading in ("wins", "lead", "p", "s more", "points per s"):
        table.add_column(heading)
    for field in fields:
        shares = (f"{100 * field.correct[one.name] / field.n:.1f}" for one in contestants)
        winner = field.leader if field.wins else "none"
        per_s = "-" if field.lead_per_s is None else f"{100 * field.lead_per_s:.1f}"
        more_s = "-" if field.more_s is None else f"{field.more_s:+.2f}"
        figures = (f"{100 * field.lead:+.1f}", f"{field.p_holm:.3g}", more_s, per_s)
        table.add_row(field.name, str(field.n), *shares, winner, *figures)
    return table
