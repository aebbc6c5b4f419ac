"""The terminal that tables are printed on."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def terminal() -> "Console":
    """Return it; names with brackets are shown, not interpreted. The library behind it takes 40 ms to import."""
    from rich.console import Console

    return Console(markup=False)
