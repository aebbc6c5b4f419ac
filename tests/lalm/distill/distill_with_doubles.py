"""`python distill_with_doubles.py LOG CONFIG`: `python -m lalm.distill` with a scripted LLM named `slow`.

Each prompt that reaches it is written to LOG at once: the process may be killed.
"""

import sys
from pathlib import Path

from lalm.distill.recipe import main
from services import catalog
from services.scripted.llm import ScriptedLLM

LOG = Path(sys.argv[1])


def said(prompt: str) -> str:
    with LOG.open("a") as log:
        log.write(prompt.replace("\n", " ") + "\n")
    return f"I hear something that {len(prompt)} people in the street would also hear: number {hash_of(prompt)}."


def hash_of(prompt: str) -> str:
    return "".join(chr(97 + ord(letter) % 26) for letter in prompt[:160])


catalog.LLMS["slow"] = lambda url, sampling=None: ScriptedLLM(said, name="slow", latency_s=0.1)
sys.exit(main(sys.argv[2:]))
