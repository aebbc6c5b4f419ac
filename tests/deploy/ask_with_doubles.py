"""`python ask_with_doubles.py ask …`: the command `earwitness`, with models that need no weights.

To caption, and to reply to an open question, keeps a thread busy for ten minutes, which nothing can interrupt.
"""

import asyncio
import time

from deploy.cli import main
from services.catalog import ASRS, CAPTIONERS, LLMS
from services.scripted.ears import ScriptedEars
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.types import AudioClip, Focus

BUSY_S = 600


async def reply_late(prompt: str) -> str:
    await asyncio.to_thread(time.sleep, BUSY_S)
    return "late"


async def caption_late(clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
    await asyncio.to_thread(time.sleep, BUSY_S)
    return ()


EARS = ScriptedEars(caption_late, lambda _: ("It was the best of times.",), name="double")
LLMS["double"] = lambda _url: ScriptedLLM(reply_late, weigh(0.25, 0.75), name="double")
CAPTIONERS["double"] = ASRS["double"] = lambda: EARS
main()
