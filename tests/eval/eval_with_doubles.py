"""`python eval_with_doubles.py LOG run …`: the command `eval`, with scripted LLMs in the catalogue.

Each question that reaches an LLM is written to LOG. `quick` answers at once; `slow` takes 200 ms; `broken`
fails on every fifth question.
"""

import asyncio
import sys
from pathlib import Path

from eval.cli import main
from services import catalog
from services.errors import ModelError
from services.types import Choice, Message, Reading, ReadingStyle

LOG = Path(sys.argv[1])


def note(question: str) -> None:
    """Put a question on disk at once: the process may be killed."""
    with LOG.open("a") as log:
        log.write(question + "\n")


class Scripted:
    """Chooses the first option."""

    revision = "scripted"
    style = ReadingStyle()

    def __init__(self, name: str, delay_s: float) -> None:
        self.name = name
        self.delay_s = delay_s
        self.num_asked = 0

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        raise AssertionError(messages)

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        note(messages[-1].content.replace("\n", " "))
        self.num_asked += 1
        await asyncio.sleep(self.delay_s)
        if self.name == "broken" and self.num_asked % 5 == 0:
            raise ModelError("The server answered 500.")
        return Reading(reply="(A)")


for name, delay_s in (("quick", 0.0), ("slow", 0.2), ("broken", 0.0)):
    catalog.LLMS[name] = lambda url, name=name, delay_s=delay_s: Scripted(name, delay_s)
main(sys.argv[2:])
