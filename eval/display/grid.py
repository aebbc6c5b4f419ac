"""Table and heat-map of a grid of captioners and LLMs."""

from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from eval.display.tables import print_table
from eval.run.grid import Cell, Grid
from services.terminal.counts import format_count


def draw_grid(grid: Grid) -> Path:
    """Draw the accuracies as a heat-map beside grid.json."""
    from eval.display.plots import draw_heat_map

    accuracies = {(cell.row or cell.llm, cell.captioner): cell.accuracy for cell in grid.cells}
    values = [[accuracies.get((llm, captioner)) for captioner in grid.captioners] for llm in grid.llms]
    columns = [captioner or grid.path for captioner in grid.captioners]
    out = grid.folder / "grid.svg"
    draw_heat_map(grid.llms, columns, values, out, title=f"{grid.benchmark}: strict accuracy")
    return out


def print_grid(grid: Grid, console: Console) -> None:
    """Print each cell with its interval, speed, tokens and cost; lost are the unread and the failed items."""
    num_items = max((cell.summary.n for cell in grid.cells if cell.summary), default=0)
    title = f"{grid.benchmark}, path {grid.path}, {format_count(num_items, 'item')}"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("LLM", no_wrap=True)
    table.add_column("LALM" if grid.path == "lalm" else "captioner", overflow="fold")
    for heading in ("strict, 95 %", "offic.", "lost", "s/item", "tokens", "$"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cell in grid.cells:
        table.add_row(cell.row or cell.llm, cell.captioner or cell.lalm or "-", *_format_cells(cell))
    print_table(table, console)
    for cell in grid.cells:
        if cell.error:
            console.print(f"{cell.row or cell.llm}: {cell.error}", style="red", highlight=False, soft_wrap=True)


def _format_cells(cell: Cell) -> list[str]:
    summary, accuracy = cell.summary, cell.accuracy
    if summary is None or accuracy is None:
        return ["-"] * 6
    low, high = summary.wilson_95
    return [
        f"{100 * accuracy:.1f} [{100 * low:.0f}, {100 * high:.0f}]",
        "-" if summary.official_accuracy is None else f"{100 * summary.official_accuracy:.1f}",
        str(summary.unread + summary.failed),
        f"{summary.wall_s / summary.n:.2f}",
        str(summary.prompt_tokens + summary.completion_tokens),
        "-" if summary.cost_usd is None else f"{summary.cost_usd:.4f}",
    ]
