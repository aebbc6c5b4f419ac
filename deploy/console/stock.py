"""Weights that the defaults need, and weights that have been fetched."""

from services.catalog import DEFAULT_LLM
from services.weights import store as weights

DEFAULT_BACKBONE = "smollm2-135m-backbone"  # of earwitness-tiny


def list_needed() -> tuple[str, ...]:
    """Return the names of the weights that the default models and the demo need."""
    chosen = (DEFAULT_LLM, DEFAULT_BACKBONE)
    entries = weights.list_weights().items()
    return tuple(
        name for name, entry in entries if entry.wheels and (entry.kind not in {"LLM", "backbone"} or name in chosen)
    )


def list_fetched() -> tuple[str, ...]:
    """Return the names of the weights that have been fetched."""
    return tuple(name for name in weights.list_weights() if weights.check_state(name) == "ready")
