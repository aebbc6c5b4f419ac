"""A captioner and an ASR in one, which hear by rule: for tests, never for answers."""

import asyncio
from collections.abc import Callable, Sequence

from services.types import AudioClip, Evidence, Focus


def _nothing(*_: object) -> tuple[str, ...]:
    return ()


class ScriptedEars:
    """States what `sounds` makes of a clip, and transcribes what `words` makes of it.

    Args:
        sounds: clip, focus -> statements; what it raises, the captioner raises.
        words: clip -> stretches of speech; what it raises, the ASR raises.
        latency_s: how long either takes.
    """

    revision = "1"

    def __init__(
        self,
        sounds: Callable[[AudioClip, Focus | None], Sequence[str]] = _nothing,
        words: Callable[[AudioClip], Sequence[str]] = _nothing,
        *,
        name: str = "scripted",
        latency_s: float = 0.0,
    ) -> None:
        self.name = name
        self.num_captioned = 0
        """How often a clip was captioned."""
        self._sounds, self._words, self._latency_s = sounds, words, latency_s

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        self.num_captioned += 1
        await asyncio.sleep(self._latency_s)
        heard = self._sounds(clip, focus)
        return tuple(Evidence(kind="sound", source=self.name, revision=self.revision, text=text) for text in heard)

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        await asyncio.sleep(self._latency_s)
        said = self._words(clip)
        return tuple(Evidence(kind="transcript", source=self.name, revision=self.revision, text=text) for text in said)
