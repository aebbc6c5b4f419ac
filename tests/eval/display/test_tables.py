"""Tables: no text is lost at any width, and a pipe gets tab-separated values."""

from io import StringIO

import pytest
from rich.console import Console
from rich.table import Table

from eval.display.tables import print_table

LONG = "Sounds heard, most likely first: running water (0.95), rain (0.40), a fountain behind a wall."
ROWS = (
    ("0.0-10.0", "sound", "yamnet", "95%", LONG),
    ("3.0-end", "transcript", "whisper-base", "", "Höre\nzu, [bitte]"),
)


def printed(columns: int | None) -> str:
    """Print a table to a terminal of so many columns; None: to a pipe."""
    table = Table("seconds", "what", "source", "sure", "evidence", title="heard", box=None)
    for row in ROWS:
        table.add_row(*row)
    out = StringIO()
    print_table(
        table, Console(file=out, width=columns, force_terminal=columns is not None, color_system=None, markup=False)
    )
    return out.getvalue()


@pytest.mark.parametrize("columns", [30, 40, 60, 80, 120])
def test_every_word_is_there_at_every_width(columns: int) -> None:
    shown = printed(columns)
    assert max(map(len, shown.splitlines())) <= columns
    assert "…" not in shown
    words = {word for row in ROWS for cell in row for word in cell.replace(",", "").split()}
    assert words <= set(shown.replace(",", "").split())


def test_a_pipe_gets_a_line_a_row_with_tabs_between_the_columns() -> None:
    title, *lines = printed(None).splitlines()
    assert title == "heard"
    assert [line.split("\t") for line in lines] == [
        ["seconds", "what", "source", "sure", "evidence"],
        list(ROWS[0]),
        ["3.0-end", "transcript", "whisper-base", "", "Höre zu, [bitte]"],
    ]
