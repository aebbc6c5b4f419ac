"""The terminal that tables are printed on, and leaving it."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

    from services.types import Value

FoundT = TypeVar("FoundT", bound="Value")


def open_terminal() -> "Console":
    """Return the console; names with brackets are printed as they are. The library behind it takes 40 ms to import."""
    from rich.console import Console

    return Console(markup=False)


def print_found(
    found: FoundT, print_table: "Callable[[FoundT, Console], None]", *, as_json: bool, note: str = ""
) -> None:
    """Print what was found: one JSON object and nothing else, or a table and a note below it."""
    if as_json:
        print(found.model_dump_json())  # noqa: T201
        return
    print_table(found, open_terminal())
    if note:
        print_note(note)


def print_note(note: str) -> None:
    """Print a line that says where something is or what to do next, in one piece."""
    open_terminal().print(note, highlight=False, soft_wrap=True)


def leave_now(code: int) -> NoReturn:
    """End the process without waiting for models that are busy in their threads; all results are out."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
