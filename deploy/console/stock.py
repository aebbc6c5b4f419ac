"""Weights that the defaults need, and weights that have been fetched."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lalm.names import DEFAULT_LALM
from services.catalog import ASRS, CAPTIONERS, DEFAULT_CAPTIONER, DEFAULT_LLM, EMBEDDED_LLMS, LLMS
from services.extensions.registry import list_extensions
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


class KnownModel(NamedTuple):
    """A name that an option knows."""

    option: str
    name: str
    runs_here: bool | None
    """Whether it runs in this process, without a GPU, a server or a key; None: as its package decides."""
    is_checked: bool = True
    """False: how a server of it wants to be asked could not be read anywhere."""


def list_known() -> Iterator[KnownModel]:
    """Yield the names that the options for models know: those of the catalogue, then those of installed packages."""
    from lalm.catalog import LALMS  # reads the table of all served models, which `ask` does not need
    from lalm.served_models import read_served_models

    catalogues: Mapping[str, Mapping[str, object]] = {
        "LLM": LLMS,
        "captioner": CAPTIONERS,
        "ASR": ASRS,
        "LALM": LALMS,
    }
    here = {*EMBEDDED_LLMS, DEFAULT_CAPTIONER, "transcript", *ASRS, DEFAULT_LALM}
    unchecked = {name for name, model in read_served_models().items() if model.read_on is None}
    for kind, catalogue in catalogues.items():
        option = f"--{kind.lower()}"
        yield from (KnownModel(option, name, name in here, name not in unchecked) for name in catalogue)
        yield from (KnownModel(option, name, None) for name in list_extensions(kind) if name not in catalogue)
