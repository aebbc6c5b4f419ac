"""Which weights belong here, and which are here."""

from services import weights
from services.catalog import DEFAULT_LLM


def needed() -> tuple[str, ...]:
    """Return the names of what the default models and the demo need."""
    entries = weights.known().items()
    return tuple(name for name, entry in entries if entry.wheels and (entry.kind != "LLM" or name == DEFAULT_LLM))


def here() -> tuple[str, ...]:
    """Return the names of what has been fetched."""
    return tuple(name for name in weights.known() if weights.state(name) == "ready")
