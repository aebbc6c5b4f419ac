"""Perceive once: a captioner or an ASR that remembers what it said about a clip.

A wrapper speaks the protocol of what it wraps. It looks on disk, and lets one caller do the work
while others who ask for the same clip wait (single flight).
"""

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TypeAlias

from pydantic import TypeAdapter, ValidationError

from services.protocols import ASR, Captioner
from services.types import AudioClip, Evidence

Statements: TypeAlias = tuple[Evidence, ...]

_STATEMENTS = TypeAdapter(Statements)


class _Shelf:
    """Statements by key, in one file each under a folder of their kind and source."""

    def __init__(self, folder: Path, kind: str, source: str) -> None:
        self._folder = folder / kind / source
        self._kind = kind
        self._running: dict[str, asyncio.Task[Statements]] = {}

    async def get(self, key: str, make: Callable[[], Awaitable[Statements]]) -> Statements:
        """Return what was said under `key`, from `make` the first time; a failure is not remembered."""
        task = self._running.get(key)
        if task is not None:
            self._count("joined")
        else:
            task = asyncio.ensure_future(self._read_or_make(self._folder / f"{key}.json", make))
            self._running[key] = task
            task.add_done_callback(lambda _: self._running.pop(key))
        return await asyncio.shield(task)

    async def _read_or_make(self, path: Path, make: Callable[[], Awaitable[Statements]]) -> Statements:
        stored = await asyncio.to_thread(_read, path)
        self._count("miss" if stored is None else "hit")
        if stored is not None:
            return stored
        made = await make()
        await asyncio.to_thread(_write, path, made)
        return made

    def _count(self, result: str) -> None:
        from services.metrics import CACHE_LOOKUPS  # 50 ms, which who only names models need not pay

        CACHE_LOOKUPS.labels(kind=self._kind, result=result).inc()


def _read(path: Path) -> Statements | None:
    """Return what is stored, or None where nothing is, or a file that a crash left damaged."""
    try:
        return _STATEMENTS.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None


def _write(path: Path, statements: Statements) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, delete=False) as file:
        file.write(_STATEMENTS.dump_json(statements))
    Path(file.name).replace(path)


class CachedCaptioner:
    """A captioner that captions each clip once per focus."""

    def __init__(self, captioner: Captioner, folder: Path) -> None:
        self.name, self.revision = captioner.name, captioner.revision
        self._captioner = captioner
        self._shelf = _Shelf(folder, "captions", f"{captioner.name}-{captioner.revision}")

    async def caption(self, clip: AudioClip, focus: str = "") -> Statements:
        key = clip.sha256 + (f"-{sha256(focus.encode()).hexdigest()[:12]}" if focus else "")
        return await self._shelf.get(key, lambda: self._captioner.caption(clip, focus))


class CachedASR:
    """An ASR that transcribes each clip once."""

    def __init__(self, asr: ASR, folder: Path) -> None:
        self.name, self.revision = asr.name, asr.revision
        self._asr = asr
        self._shelf = _Shelf(folder, "transcripts", f"{asr.name}-{asr.revision}")

    async def transcribe(self, clip: AudioClip) -> Statements:
        return await self._shelf.get(clip.sha256, lambda: self._asr.transcribe(clip))
