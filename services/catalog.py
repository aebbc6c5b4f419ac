"""The models that can be named: plain dicts, name -> function that opens the model.

To add a model, add one line. The import stands inside the opener, so that naming a model costs nothing.
"""

from collections.abc import Mapping
from typing import TypeVar

from services.errors import UnknownName

Entry = TypeVar("Entry")


def pick(catalogue: Mapping[str, Entry], kind: str, name: str) -> Entry:
    """Return the entry of that name; `UnknownName` lists the names that exist."""
    try:
        return catalogue[name]
    except KeyError:
        raise UnknownName(kind, name, catalogue) from None
