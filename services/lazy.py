"""Lazy initialisation: a value that is made at its first use, once, by whichever thread comes first."""

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

Made = TypeVar("Made")


class Lazy(Generic[Made]):
    """What `make` returns; where that raises, the next call tries again."""

    def __init__(self, make: Callable[[], Made]) -> None:
        self._make, self._lock = make, Lock()
        self._made: tuple[Made, ...] = ()

    def __call__(self) -> Made:
        """Return the value, and make it the first time; callers that come meanwhile wait."""
        with self._lock:
            if not self._made:
                self._made = (self._make(),)
            return self._made[0]
