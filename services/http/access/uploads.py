"""Bound on the bytes of all uploads together: places could otherwise be filled with the largest upload each.

When the last large one is done, the C library is told to give the memory back, which it would keep for the next one.
"""

import asyncio
import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request

from services.errors import Overloaded

KEY = "earwitness.upload"  # of the request's scope
RETRY_AFTER_S = 10
LARGE_BYTES = 1_000_000  # of an upload whose memory is worth giving back
TRIM_AFTER_S = 1.0  # seconds after its end, when nothing refers to it


class UploadPlace:
    """The share of one request in the bytes of all uploads."""

    def __init__(self, budget: "UploadBudget") -> None:
        self._budget = budget
        self.num_bytes = 0

    def grow_to(self, num_bytes: int) -> None:
        """Take up so many bytes in all; `Overloaded` where the others leave too few."""
        self._budget.take(num_bytes - self.num_bytes)
        self.num_bytes = max(self.num_bytes, num_bytes)


class UploadBudget:
    """Counts the bytes of the uploads that are read or in work.

    Args:
        most: bytes of all of them; an upload that comes alone is taken, whatever its size.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.num_bytes = 0

    @contextmanager
    def place(self, request: Request) -> Iterator[None]:
        """Give a request its share until its work is done."""
        place = UploadPlace(self)
        request.scope[KEY] = place
        try:
            yield
        finally:
            self.num_bytes -= place.num_bytes
            if place.num_bytes > LARGE_BYTES and not self.num_bytes:
                loop = asyncio.get_running_loop()
                loop.call_later(TRIM_AFTER_S, loop.run_in_executor, None, trim_memory)

    def take(self, num_bytes: int) -> None:
        """Take up some bytes more."""
        if num_bytes <= 0:
            return
        if self.num_bytes and self.num_bytes + num_bytes > self._most:
            raise Overloaded(
                f"Uploads of {self.num_bytes} bytes are in work; with this one there would be more than {self._most}. "
                f"Try again in {RETRY_AFTER_S} s.",
                retry_after_s=RETRY_AFTER_S,
            )
        self.num_bytes += num_bytes


def find_upload_place(request: Request) -> UploadPlace:
    """Return the share that the admission of a request gave it."""
    place = request.scope[KEY]
    assert isinstance(place, UploadPlace)
    return place


def trim_memory() -> None:
    """Give memory that is free back to the system; only glibc has to be asked to."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
