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
from services.scripted.llm import ScriptedLLM
from services.types import Choice, Reading

LOG = Path(sys.argv[1])


def note(question: str) -> None:
    """Put a question on disk at once: the process may be killed."""
    with LOG.open("a") as log:
        log.write(question + "\n")


async def choose_at_once(prompt: str, choices: tuple[Choice, ...]) -> Reading:
    note(prompt.replace("\n", " "))
    return Reading(reply="(A)")


async def choose_slowly(prompt: str, choices: tuple[Choice, ...]) -> Reading:
    reading = await choose_at_once(prompt, choices)
    await asyncio.sleep(0.2)
    return reading


def open_broken(url: str | None) -> ScriptedLLM:
    async def choose(prompt: str, choices: tuple[Choice, ...]) -> Reading:
        reading = await choose_at_once(prompt, choices)
        if len(llm.prompts) % 5 == 0:
            raise ModelError("The server answered 500.")
        return reading

    llm = ScriptedLLM(choose=choose, name="broken")
    return llm


catalog.LLMS["quick"] = lambda url: ScriptedLLM(choose=choose_at_once, name="quick", revision="scripted")
catalog.LLMS["slow"] = lambda url: ScriptedLLM(choose=choose_slowly, name="slow")
catalog.LLMS["broken"] = open_broken
main(sys.argv[2:])
