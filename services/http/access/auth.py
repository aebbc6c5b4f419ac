"""API keys (authentication). A file holds one line per key: its name and the sha256 of the key, never the key itself.

A key is 256 random bits, so a plain hash is enough: there is nothing to guess. `EARWITNESS_API_KEYS_FILE` names the
file, by default it is `api-keys` in the folder of Earwitness. A running service reads it again when it changes
(`services.http.access.live_keys`).
"""

import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from services.errors import BadConfig
from services.json_lines import read_text
from services.settings import read_settings
from services.types import Value

PREFIX = "ew-"
NUM_RANDOM_BYTES = 32
LINE = re.compile(r"([\w.-]{1,64}) ([0-9a-f]{64})", re.ASCII)


class ApiKey(Value):
    """A key as it is stored."""

    name: str
    """Name of its owner, for people and for metrics."""
    sha256: str

    def to_line(self) -> str:
        """Return this as a line of the file."""
        return f"{self.name} {self.sha256}"


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """The keys that are accepted; without any, the server asks for none."""

    keys: tuple[ApiKey, ...] = ()
    is_required: bool = False
    """Whether a key is asked for although there is none: the last one was revoked."""

    def __bool__(self) -> bool:
        return bool(self.keys) or self.is_required

    def read_current(self) -> "ApiKeys":
        """Return the keys that are accepted now: these; `LiveKeys` looks at the file again."""
        return self

    def find_owner(self, presented: str) -> str | None:
        """Return the name of a key, None for one that is not accepted, in constant time."""
        digest = _hash(presented)
        same = [hmac.compare_digest(key.sha256, digest) for key in self.keys]
        return self.keys[same.index(True)].name if any(same) else None


def make_key(name: str) -> tuple[str, ApiKey]:
    """Make a key; return the secret that its owner sends, and what is stored."""
    secret = PREFIX + secrets.token_urlsafe(NUM_RANDOM_BYTES)
    key = ApiKey(name=name, sha256=_hash(secret))
    if not LINE.fullmatch(key.to_line()):
        raise BadConfig(f"{name!r} cannot name a key; up to 64 letters, digits, '.', '_' and '-' can.")
    return secret, key


def find_keys_file() -> Path:
    """Return the file that holds the keys, whether it exists or not."""
    return read_settings().api_keys_file or read_settings().home / "api-keys"


def read_keys() -> ApiKeys:
    """Read the keys; `BadConfig` for a named file that holds none, so that a mistake never opens the server."""
    path = find_keys_file()
    if not read_settings().api_keys_file and not path.exists():
        return ApiKeys()
    keys = _read_file(path)
    if not keys:
        raise BadConfig(f"'{path}' holds no API key: `earwitness keys new NAME` adds one, or remove the file.")
    return ApiKeys(keys)


def list_keys() -> tuple[ApiKey, ...]:
    """List the keys for a person; none where the file does not exist yet."""
    path = find_keys_file()
    return _read_file(path) if path.exists() else ()


def _read_file(path: Path) -> tuple[ApiKey, ...]:
    lines = read_text(path, f"The API keys in '{path}'").splitlines()
    return tuple(
        _read_line(path, number, line) for number, line in enumerate(lines, 1) if line.strip() and line[0] != "#"
    )


def _read_line(path: Path, number: int, line: str) -> ApiKey:
    match = LINE.fullmatch(line.strip())
    if not match:  # the line is not quoted, as it may hold a key by mistake
        raise BadConfig(
            f"'{path}', line {number}, is not an API key: a name, a space and the sha256 of the key are one."
        )
    return ApiKey(name=match[1], sha256=match[2])


def _hash(secret: str) -> str:
    return sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()
