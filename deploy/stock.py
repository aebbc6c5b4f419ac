"""Which weights belong here, and whether those that are here are whole."""

from services import weights
from services.catalog import DEFAULT_LLM
from services.errors import ModelError


def needed() -> tuple[str, ...]:
    """Return the names of what the default models and the demo need."""
    entries = weights.known().items()
    return tuple(name for name, entry in entries if entry.wheels and (entry.kind != "LLM" or name == DEFAULT_LLM))


def here() -> tuple[str, ...]:
    """Return the names of what has been fetched."""
    return tuple(name for name in weights.known() if weights.state(name) == "ready")


def verify(name: str) -> None:
    """Check every file of fetched weights; `ModelError` names those that have changed."""
    if changed := weights.verify(name):
        raise ModelError(
            f"{name}: {', '.join(changed)} changed since it was fetched. Remove '{weights.place(name)}' "
            f"and run `earwitness models pull {name}`."
        )
