"""The only place where environment variables are read."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.environment import Settings


@cache
def settings() -> "Settings":
    """Return the settings, read once per process; the library behind them takes 50 ms to import."""
    from services.environment import Settings

    return Settings()
