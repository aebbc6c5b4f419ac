"""Content-addressed cache of captions and transcripts: a captioner or an ASR hears each clip once.

A wrapper speaks the protocol of what it wraps. It looks in memory, then on disk, and lets one caller do the work
while others who ask for the same clip wait.
"""

from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from pydantic import TypeAdapter

from services.cache.two_level import TwoLevelCache
from services.protocols import ASR, Captioner, GuidableASR, Loadable, SpokenSegment, TranscriptionGuide
from services.types import AudioClip, Evidence, Focus

Statements: TypeAlias = tuple[Evidence, ...]

STATEMENTS = TypeAdapter(Statements)
SEGMENTS = TypeAdapter(tuple[SpokenSegment, ...])


class _CachedModel:
    """What a captioner and an ASR behind a cache have in common."""

    def __init__(self, model: Captioner | ASR, folder: Path, kind: str) -> None:
        self.name, self.revision = model.name, model.revision
        self._model = model
        self._cache = TwoLevelCache(folder, kind, f"{model.name}-{model.revision}", STATEMENTS)

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
        self._guided = TwoLevelCache(folder, "transcripts", f"{asr.name}-{asr.revision}", SEGMENTS)

    @property
    def takes_guide(self) -> bool:
        """Whether the ASR can be guided."""
        return isinstance(self._asr, GuidableASR) and self._asr.takes_guide

    async def transcribe(self, clip: AudioClip) -> Statements:
        """Return the transcript from the cache, keyed by clip, or have the ASR make it."""
        return await self._cache.get(clip.sha256, lambda: self._asr.transcribe(clip))

    async def transcribe_guided(self, clip: AudioClip, guide: TranscriptionGuide) -> tuple[SpokenSegment, ...]:
        """Return the guided transcript from the cache, keyed by clip and guide, or have the ASR make it."""
        asr = self._asr
        assert isinstance(asr, GuidableASR), "`takes_guide` says so"
        key = f"{clip.sha256}-{sha256(guide.model_dump_json().encode()).hexdigest()[:12]}"
        return await self._guided.get(key, lambda: asr.transcribe_guided(clip, guide))
