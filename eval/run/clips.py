"""Reference-counted cache of decoded clips: each is decoded once and released after its last item."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from services.audio.load import load
from services.types import AudioClip


class Clips:
    """Decodes in threads, so that models go on while the next clips are read."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._num_uses_left = Counter(paths)
        self._decoding: dict[Path, asyncio.Task[AudioClip]] = {}

    @asynccontextmanager
    async def use(self, *paths: Path) -> AsyncIterator[tuple[AudioClip, ...]]:
        """Lend the clips of an item; every path given at the start may be used as often as it was given."""
        for path in paths:
            if path not in self._decoding:
                self._decoding[path] = asyncio.create_task(asyncio.to_thread(load, path))
        try:
            # Shielded: cancelling one item must not cancel the decoding that others wait for.
            decoding = (asyncio.shield(self._decoding[path]) for path in paths)
            yield tuple(await asyncio.gather(*decoding))
        finally:
            for path in paths:
                self._num_uses_left[path] -= 1
                if not self._num_uses_left[path]:
                    del self._decoding[path]
