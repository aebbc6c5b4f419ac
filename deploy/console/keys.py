"""`earwitness keys new | revoke NAME`: create an API key, which is printed once and kept as a hash; revoke it."""

import os
from pathlib import Path
from typing import NamedTuple

from services.errors import BadConfig
from services.files import replace_atomically
from services.http.access.auth import find_keys_file, list_keys, make_key

OWNER_ONLY = 0o600


class NewKey(NamedTuple):
    """A key just made."""

    secret: str
    path: Path
    """The file that its hash was added to."""


def add_key(name: str) -> NewKey:
    """Add a key of that name, which must be new."""
    path = find_keys_file()
    if name in [key.name for key in list_keys()]:
        raise BadConfig(
            f"'{path}' has a key named {name!r} already: choose another name, or `earwitness keys revoke {name}`."
        )
    secret, key = make_key(name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY), "w") as file:
            file.write(key.to_line() + "\n")
    except OSError as error:
        raise BadConfig(f"'{path}' cannot hold a key: {error.strerror}.") from error
    return NewKey(secret, path)


def remove_key(name: str) -> Path:
    """Remove the key of that name from the file that holds the keys, and return the file.

    The file stays when its last key goes: a server that finds it empty does not start, where without it there would be
    no key to ask for.
    """
    path = find_keys_file()
    names = [key.name for key in list_keys()]
    if name not in names:
        raise BadConfig(f"There is no key named {name!r}; known: {', '.join(names) or '(none)'}.")
    kept = [line for line in path.read_text().splitlines(keepends=True) if line.split()[:1] != [name]]
    with replace_atomically(path, durable=True) as draft:
        draft.touch(mode=OWNER_ONLY)
        draft.write_text("".join(kept))
    return path
