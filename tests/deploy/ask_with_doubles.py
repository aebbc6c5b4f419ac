"""`python ask_with_doubles.py ask …`: the command `earwitness`, with models that need no weights.

The captioner keeps its thread busy for a minute, which nothing can interrupt.
"""

import asyncio
import time

from deploy.cli import main
from services.catalog import ASRS, CAPTIONERS, LLMS
from services.types import AudioClip, Choice, Evidence, Focus, Message, Reading, ReadingStyle


class Double:
    """Reads and transcribes at once; takes its time to caption."""

    name, revision, style = "double", "1", ReadingStyle()

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        await asyncio.to_thread(time.sleep, 60)
        return Reading(reply="late")

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        return Reading(reply="B", probabilities={"A": 0.25, "B": 0.75})

    async def caption(self, clip: AudioClip, focus: Focus | None = None) -> tuple[Evidence, ...]:
        await asyncio.to_thread(time.sleep, 60)
        return ()

    async def transcribe(self, clip: AudioClip) -> tuple[Evidence, ...]:
        return (Evidence(kind="transcript", source="double", revision="1", text="It was the best of times."),)


LLMS["double"] = lambda _url: Double()
CAPTIONERS["double"] = Double
ASRS["double"] = Double
main()
