"""The only place where environment variables are read."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.environment import Settings


@cache
def read_settings() -> "Settings":
    """Return the settings, read once per process; the library behind them takes 50 ms to import.

    Raises `BadConfig` for the first variable that cannot be used.
    """
    from pydantic import ValidationError

    from services.environment import Settings
    from services.errors import BadConfig, word_problem

    try:
        return Settings()
    except ValidationError as error:
        fault = error.errors()[0]
        field = str(fault["loc"][0])
        name = field if field.isupper() else f"EARWITNESS_{field.upper()}"
        raise BadConfig(f"{name}={fault['input']!r} cannot be used: {word_problem(fault)}.") from None
