"""The captioner that describes a clip from signal analysis and small pretrained models, for an LLM that cannot hear."""

import asyncio
from collections.abc import Callable

from services import weights
from services.captioners.loudness import loudness
from services.captioners.sections import SoundTagger
from services.captioners.yamnet import YamNet
from services.types import AudioClip, Evidence

Analyser = Callable[[AudioClip], tuple[Evidence, ...]]


class AcousticCaptioner:
    """Runs the analysers one after the other; each says nothing where it does not know."""

    name = "acoustic"

    def __init__(self) -> None:
        yamnet = YamNet(weights.folder("yamnet"))
        self._analysers: tuple[Analyser, ...] = (SoundTagger(yamnet), loudness)
        self.revision = "1-" + weights.revision("yamnet")

    async def caption(self, clip: AudioClip, focus: str = "") -> tuple[Evidence, ...]:  # noqa: ARG002
        """Describe the clip, in order of start; `focus` changes nothing here."""
        return await asyncio.to_thread(self.describe, clip)

    def describe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        """Do the work of `caption` in the calling thread."""
        statements = [statement for analyser in self._analysers for statement in analyser(clip)]
        return tuple(sorted(statements, key=lambda statement: statement.start_s))
