"""Tables for people and for pipes: no text is lost on a narrow terminal, and a pipe gets tab-separated values.

On a terminal a table is folded to its width; where that is too narrow for the columns, each row becomes lines of its
own.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple, TypeVar

from rich.cells import cell_len
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.segment import Segment, Segments
from rich.table import Column, Table
from rich.text import Text

from eval.scoring.scoring import list_rows

Row = TypeVar("Row")
LONG = 16  # characters; columns with longer texts are folded
FOLDED = 24  # characters that such a column gets at least


def add_rows(table: Table, by_task: Mapping[str, Row], total: Row, format_cells: Callable[[Row], list[str]]) -> None:
    """Add a row for each task, and below a line that of all."""
    *tasks, (name, score) = list_rows(by_task, total).items()
    for task, counted in tasks:
        table.add_row(task, *format_cells(counted))
    table.add_section()
    table.add_row(name, *format_cells(score), style="bold")


def print_table(table: Table, console: Console) -> None:
    """Print a table: folded or as lines on a terminal, unfolded with tabs between the columns to a pipe or a file."""
    if not console.is_terminal:
        _print_tabbed(table, console)
        return
    for column in table.columns:
        _set_width(column)
    if table.__rich_measure__(console, console.options).minimum <= console.width:
        console.print(table)
    else:
        _print_rows(table, console)


def _set_width(column: Column) -> None:
    """Keep a column of numbers and names as wide as it is, and let one of texts be folded."""
    width = max(
        (cell_len(line) for cell in (column.header, *column.cells) for line in _strip_style(cell).splitlines()),
        default=0,
    )
    is_folded = width > LONG and not column.no_wrap
    column.overflow, column.no_wrap = "fold", not is_folded
    column.min_width = min(width, FOLDED) if is_folded else width


def _print_tabbed(table: Table, console: Console) -> None:
    title = [_strip_style(table.title)] if table.title else []
    rows = ([column.header for column in table.columns], *_iterate_rows(table))
    lines = ("\t".join(" ".join(_strip_style(cell).split()) for cell in row) for row in rows)
    text = "".join(f"{line}\n" for line in (*title, *lines))
    console.print(Segments([Segment(text)]), crop=False, end="")  # as text, Rich would turn the tabs into spaces


def _print_rows(table: Table, console: Console) -> None:
    """Print each row as a line of headings and cells, with its texts below."""
    if table.title:
        console.print(table.title, style="bold", highlight=False)
    headings = [_strip_style(column.header) for column in table.columns]
    texts = [not column.no_wrap for column in table.columns]
    for row in _iterate_rows(table):
        cells = [_TableCell(*found) for found in zip(headings, map(_strip_style, row), texts, strict=True) if found[1]]
        if short := ", ".join(str(cell) for cell in cells if not cell.is_text):
            console.print(short, highlight=False)
        for cell in cells:
            if cell.is_text:
                shown = cell.text if texts.count(True) == 1 else str(cell)
                console.print(Padding(shown, (0, 0, 0, 2)), highlight=False)


class _TableCell(NamedTuple):
    heading: str
    text: str
    is_text: bool
    """Whether its column is folded."""

    def __str__(self) -> str:
        """Return heading and text."""
        return f"{self.heading}: {self.text}" if self.heading else self.text


def print_line(line: str, console: Console, style: str = "") -> None:
    """Print a line: folded between words on a terminal, in one piece to a pipe or a file."""
    console.print(line, style=style, highlight=False, soft_wrap=not console.is_terminal)


def _iterate_rows(table: Table) -> Iterator[tuple[RenderableType, ...]]:
    return zip(*(column.cells for column in table.columns), strict=True)


def _strip_style(cell: object) -> str:
    return cell.plain if isinstance(cell, Text) else str(cell)
