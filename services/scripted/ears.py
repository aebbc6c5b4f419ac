"""A captioner and an ASR in one, which hear by rule: for tests, never for answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from services.scripted.rules import follow
from services.types import AudioClip, Evidence, EvidenceKind, Focus

Heard: TypeAlias = Sequence[str | Evidence]
"""Statements; a text becomes one over the whole clip, of kind `sound` or `transcript`."""
SoundRule: TypeAlias = Callable[[AudioClip, Focus | None], Heard | Awaitable[Heard]]
WordRule: TypeAlias = Callable[[AudioClip], Heard | Awaitable[Heard]]


def hear_nothing(*_: object) -> tuple[str, ...]:
    """Rule of a captioner in silence, and of an ASR where nobody speaks."""
    return ()


class ScriptedEars:
    """States what a rule makes of a clip; see `services.scripted.rules` for what a rule may do.

    Args:
        sounds: clip, focus -> what the captioner states.
        words: clip -> what the ASR transcribes.
        name: what `name` returns, and the source of statements that are given as text.
        latency_s: how long either takes.
    """

    revision = "1"

    def __init__(
        self,
        sounds: SoundRule = hear_nothing,
        words: WordRule = hear_nothing,
        *,
        name: str = "scripted",
        latency_s: float = 0.0,
    ) -> None:
        self.name = name
        self.captioned: list[AudioClip] = []
        """The clips that it was to caption, in order."""
        self.focuses: list[Focus | None] = []
        """What it was to listen for, clip by clip."""
        self._sounds, self._words, self._latency_s = sounds, words, latency_s

    @property
    def num_captioned(self) -> int:
        """How often a clip was captioned."""
        return len(self.captioned)

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        """State the scripted sounds, and note the clip and the focus."""
        self.captioned.append(clip)
        self.focuses.append(focus)
        await asyncio.sleep(self._latency_s)
        return self._state("sound", await follow(self._sounds, clip, focus))

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """State the scripted words as a transcript."""
        await asyncio.sleep(self._latency_s)
        return self._state("transcript", await follow(self._words, clip))

    def _state(self, kind: EvidenceKind, heard: Heard) -> tuple[Evidence, ...]:
        return tuple(
            Evidence(kind=kind, source=self.name, revision=self.revision, text=one) if isinstance(one, str) else one
            for one in heard
        )
