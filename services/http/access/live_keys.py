"""API keys as their file has them now: one that is added or revoked counts within a second, without a restart.

On Kubernetes the file is a mounted Secret, which the kubelet replaces about a minute after it was changed.
"""

import time
from collections.abc import Callable
from typing import NamedTuple

from services.errors import BadConfig
from services.http.access.auth import ApiKeys, find_keys_file, list_keys
from services.telemetry.log_lines import LOGGER

LOOK_EVERY_S = 1.0


class _FileState(NamedTuple):
    """What tells one state of a file from another; a Secret that is updated becomes another file."""

    inode: int
    changed_ns: int
    num_bytes: int


class LiveKeys:
    """The keys of the file; a file that cannot be read changes nothing, and one without keys lets nobody in."""

    def __init__(self, keys: ApiKeys, clock: Callable[[], float] = time.monotonic) -> None:
        self._keys, self._clock = keys, clock
        self._looked_at = -LOOK_EVERY_S
        self._state: _FileState | None = None

    def read_current(self) -> ApiKeys:
        """Return the keys that are accepted now."""
        now = self._clock()
        if now - self._looked_at >= LOOK_EVERY_S:
            self._looked_at = now
            if (state := _look()) != self._state:
                self._state = state
                self._read()
        return self._keys

    def _read(self) -> None:
        try:
            keys = list_keys()
        except BadConfig as error:
            LOGGER.warning("%s The keys of before are accepted.", error)
            return
        if keys != self._keys.keys:
            LOGGER.info("keys", extra={"facts": {"num_keys": len(keys)}})
        self._keys = ApiKeys(keys, is_required=bool(self._keys))


def _look() -> _FileState | None:
    try:
        facts = find_keys_file().stat()
    except OSError:
        return None
    return _FileState(facts.st_ino, facts.st_mtime_ns, facts.st_size)
