"""Table of what each tool of listening again is worth."""

from rich.console import Console
from rich.table import Table

from eval.display.budget import print_actions
from eval.display.tables import print_line, print_table
from eval.run.ablate_tools import ToolAblation, ToolEffect
from services.terminal.counts import format_count


def print_tools(found: ToolAblation, console: Console) -> None:
    """Print a table in percentage points, and name the tools that lose."""
    once, right = (100 * num / found.n for num in (found.num_correct_once, found.num_correct))
    title = (
        f"{format_count(found.n, 'question')}: {once:.1f} % heard once, {right:.1f} % within "
        f"{format_count(found.budget, 'action')}. What a tool "
        "adds in points: to the agent (leave-one-out), and over "
        f"{format_count(found.num_samples, 'drawn order')} of all tools (Shapley)."
    )
    table = Table(title=title, title_justify="left")
    for column in ("tool", "called", "found", "left out", "95 %", "Shapley", "95 %", ""):
        table.add_column(column, justify="left" if column in {"tool", ""} else "right", no_wrap=True)
    for one in found.tools:
        cells = (*_format_effect(one.leave_one_out), *_format_effect(one.shapley))
        table.add_row(one.tool, str(one.num_called), str(one.num_found), *cells, "loses" if one.loses else "")
    print_table(table, console)
    print_actions(found.by_actions, console)
    told = f"Tools that lose: {', '.join(found.losing)}." if found.losing else "No tool loses beyond chance."
    print_line(told, console)


def _format_effect(effect: ToolEffect) -> tuple[str, str]:
    return f"{100 * effect.value:+.2f}", f"{100 * effect.low:+.2f} to {100 * effect.high:+.2f}"
