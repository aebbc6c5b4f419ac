"""Two-level cache of what a model said: least recently used in memory, then on disk, with single flight.

Whoever has an API key has a part of their own, unless `EARWITNESS_SHARED_PERCEPTION` is true: how fast an answer
comes would otherwise tell that somebody else has asked about the same recording.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from services.cache.shelf import DiskCache
from services.cache.single_flight import SingleFlight
from services.native_libraries import release_freed_memory
from services.request_context import Lookup, LookupResult, get_context
from services.settings import read_settings

Said = TypeVar("Said")

NUM_RECENT = 1_000  # results of each model that are kept in memory, some kilobytes each


class TwoLevelCache(Generic[Said]):
    """What one model said, by key.

    Args:
        folder: of all that is kept on disk, by any model.
        kind: what is kept, in metrics and traces: captions, transcripts or readings.
        source: identifies the model and all that decides what it says.
        content: reads and writes what is kept as JSON.
    """

    def __init__(self, folder: Path, kind: str, source: str, content: TypeAdapter[Said]) -> None:
        self._kind, self._source = kind, source
        self._disk = DiskCache(folder, content, read_settings().perception_max_bytes)
        self._shared = read_settings().shared_perception
        self._flights = SingleFlight[Said]()
        self._recent: OrderedDict[str, Said] = OrderedDict()
        self._asked: list[str] = []
        self._reads: asyncio.Task[dict[str, Said | None]] | None = None

    async def get(self, key: str, make: Callable[[], Awaitable[Said]]) -> Said:
        """Return what was said under `key`, from `make` the first time; a failure is not remembered."""
        owner = "" if self._shared else get_context().tenant
        name = str(Path(self._kind, self._source, f"of-{owner}" if owner else "", f"{key}.json"))
        if name in self._recent:
            self._count_lookup("hit")
            self._recent.move_to_end(name)
            return self._recent[name]
        if name in self._flights:
            self._count_lookup("joined")
        return await self._flights.run(name, lambda: self._read_or_make(name, make))

    async def _read_or_make(self, name: str, make: Callable[[], Awaitable[Said]]) -> Said:
        stored = await self._read(name)
        self._count_lookup("miss" if stored is None else "hit")
        if stored is not None:
            return self._remember(name, stored)
        made = await make()
        await asyncio.to_thread(release_freed_memory)
        await asyncio.to_thread(self._disk.write, name, made)
        return self._remember(name, made)

    async def _read(self, name: str) -> Said | None:
        """Read from disk, together with all that is asked for in this turn of the event loop.

        So that what is missing is asked of the model in one turn, too, and becomes one batch there.
        """
        if self._reads is None or self._reads.done():
            self._reads = asyncio.create_task(self._read_asked())
        self._asked.append(name)
        return (await asyncio.shield(self._reads))[name]

    async def _read_asked(self) -> dict[str, Said | None]:
        await asyncio.sleep(0)
        names, self._asked, self._reads = self._asked, [], None
        return await asyncio.to_thread(lambda: {name: self._disk.read(name) for name in names})

    def _remember(self, name: str, said: Said) -> Said:
        self._recent[name] = said
        if len(self._recent) > NUM_RECENT:
            self._recent.popitem(last=False)
        return said

    def _count_lookup(self, result: LookupResult) -> None:
        from services.telemetry.metrics import CACHE_LOOKUPS  # 50 ms, which who only names models need not pay

        CACHE_LOOKUPS.labels(kind=self._kind, result=result).inc()
        get_context().lookups.append(Lookup(self._kind, result))
