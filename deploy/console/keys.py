"""`earwitness keys new NAME`: make an API key, print it this once, and keep its hash."""

import os
from pathlib import Path
from typing import NamedTuple

from services.errors import BadConfig
from services.http.access.auth import keys_file, new_key, read_keys

OWNER_ONLY = 0o600


class NewKey(NamedTuple):
    """A key just made."""

    secret: str
    path: Path
    """The file that its hash was added to."""


def add_key(name: str) -> NewKey:
    """Add a key of that name, which must be new."""
    path = keys_file()
    taken = [key.name for key in read_keys().keys] if path.exists() and path.stat().st_size else []
    if name in taken:
        raise BadConfig(f"'{path}' has a key named {name!r} already: choose another name, or remove its line.")
    secret, key = new_key(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY), "w") as file:
        file.write(key.line() + "\n")
    return NewKey(secret, path)
