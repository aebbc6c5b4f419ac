"""The terminal that tables are printed on, and leaving it."""

import os
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from rich.console import Console


def open_terminal() -> "Console":
    """Return the console; names with brackets are printed as they are. The library behind it takes 40 ms to import."""
    from rich.console import Console

    return Console(markup=False)


def leave_now(code: int) -> NoReturn:
    """End the process without waiting for models that are busy in their threads; all results are out."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
