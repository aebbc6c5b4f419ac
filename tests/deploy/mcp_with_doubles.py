"""`python mcp_with_doubles.py mcp …`: the command `earwitness`, with models that need no weights and print."""

import asyncio
import os
import time

from deploy.cli import main
from services.catalog import ASRS, CAPTIONERS, LLMS
from services.scripted.ears import ScriptedEars
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.types import AudioClip, Choice, Reading


async def choose_noisily(prompt: str, choices: tuple[Choice, ...]) -> Reading:
    print("noise of a library")  # noqa: T201
    os.write(1, b"noise of native code\n")
    if "long" in prompt:
        await asyncio.to_thread(time.sleep, 600)
    return weigh(0.25, 0.75)(choices)


def transcribe_noisily(clip: AudioClip) -> tuple[str, ...]:
    print("more noise")  # noqa: T201
    return ("It was the best of times.",)


EARS = ScriptedEars(words=transcribe_noisily, name="double")
LLMS["double"] = lambda _url: ScriptedLLM(choose=choose_noisily, name="double")
CAPTIONERS["double"] = ASRS["double"] = lambda: EARS
main()
