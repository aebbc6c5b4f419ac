"""Content-addressed cache of captions and transcripts: a captioner or an ASR hears each clip once.

A wrapper speaks the protocol of what it wraps. It looks in memory, then on disk, and lets one caller do the work
while others who ask for the same clip wait (single flight); the work stops when all of them are cancelled.

Whoever has an API key has a shelf of their own, unless `EARWITNESS_SHARED_PERCEPTION` is true: how fast
an answer comes would otherwise tell that somebody else has asked about the same recording.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from services.cache.shelf import Statements, StatementStore
from services.protocols import ASR, Captioner, Loadable
from services.request_context import Lookup, LookupResult, current_context
from services.settings import settings
from services.types import AudioClip, Focus

NUM_RECENT = 1_000  # statements about a clip that each model keeps in memory, some kilobytes each


@dataclass(slots=True)
class _Flight:
    """A computation in progress (single-flight), and how many callers wait for it."""

    task: "asyncio.Task[Statements]"
    num_waiting: int = 0


class _PerceptionCache:
    """Two-level cache (least recently used in memory, then disk) with single-flight, for one model."""

    def __init__(self, folder: Path, kind: str, source: str) -> None:
        self._kind, self._source = kind, source
        self._shelf = StatementStore(folder, settings().perception_max_bytes)
        self._shared = settings().shared_perception
        self._flights: dict[str, _Flight] = {}
        self._recent: OrderedDict[str, Statements] = OrderedDict()

    async def get(self, key: str, make: Callable[[], Awaitable[Statements]]) -> Statements:
        """Return what was said under `key`, from `make` the first time; a failure is not remembered."""
        owner = "" if self._shared else current_context().tenant
        name = str(Path(self._kind, self._source, f"of-{owner}" if owner else "", f"{key}.json"))
        if name in self._recent:
            self._count_lookup("hit")
            self._recent.move_to_end(name)
            return self._recent[name]
        flight = self._flights.get(name)
        if flight:
            self._count_lookup("joined")
        else:
            flight = self._flights[name] = _Flight(asyncio.ensure_future(self._read_or_make(name, make)))
            flight.task.add_done_callback(lambda task: self._remove_flight(name, task))
        return await self._wait(name, flight)

    async def _wait(self, name: str, flight: _Flight) -> Statements:
        flight.num_waiting += 1
        try:
            return await asyncio.shield(flight.task)
        finally:
            flight.num_waiting -= 1
            if not flight.num_waiting and not flight.task.done():
                self._remove_flight(name, flight.task)  # who comes now starts anew
                flight.task.cancel()

    def _remove_flight(self, name: str, task: "asyncio.Task[Statements]") -> None:
        if name in self._flights and self._flights[name].task is task:
            del self._flights[name]

    async def _read_or_make(self, name: str, make: Callable[[], Awaitable[Statements]]) -> Statements:
        stored = await asyncio.to_thread(self._shelf.read, name)
        self._count_lookup("miss" if stored is None else "hit")
        if stored is not None:
            return self._remember(name, stored)
        made = await make()
        await asyncio.to_thread(self._shelf.write, name, made)
        return self._remember(name, made)

    def _remember(self, name: str, statements: Statements) -> Statements:
        self._recent[name] = statements
        if len(self._recent) > NUM_RECENT:
            self._recent.popitem(last=False)
        return statements

    def _count_lookup(self, result: LookupResult) -> None:
        from services.telemetry.metrics import CACHE_LOOKUPS  # takes 50 ms: not where models are only named

        CACHE_LOOKUPS.labels(kind=self._kind, result=result).inc()
        current_context().lookups.append(Lookup(self._kind, result))


class _CachedModel:
    """What a captioner and an ASR behind a cache have in common."""

    def __init__(self, model: Captioner | ASR, folder: Path, kind: str) -> None:
        self.name, self.revision = model.name, model.revision
        self._model = model
        self._cache = _PerceptionCache(folder, kind, f"{model.name}-{model.revision}")

    def load(self) -> None:
        """Have the model read its weights now, if it can wait for the first clip that is not cached."""
        if isinstance(self._model, Loadable):
            self._model.load()


class CachedCaptioner(_CachedModel):
    """A captioner that captions each clip once per focus."""

    def __init__(self, captioner: Captioner, folder: Path) -> None:
        super().__init__(captioner, folder, "captions")
        self._captioner = captioner

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> Statements:
        """Return the caption from the cache, keyed by clip and focus, or have the captioner make it."""
        key = clip.sha256 + (f"-{sha256(focus.model_dump_json().encode()).hexdigest()[:12]}" if focus else "")
        return await self._cache.get(key, lambda: self._captioner.caption(clip, focus))


class CachedASR(_CachedModel):
    """An ASR that transcribes each clip once."""

    def __init__(self, asr: ASR, folder: Path) -> None:
        super().__init__(asr, folder, "transcripts")
        self._asr = asr

    async def transcribe(self, clip: AudioClip) -> Statements:
        """Return the transcript from the cache, keyed by clip, or have the ASR make it."""
        return await self._cache.get(clip.sha256, lambda: self._asr.transcribe(clip))
