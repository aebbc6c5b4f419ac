"""Processor seconds of each stage of an answer about a fresh clip; `ask_cost.py` runs it for two commits in turns.

    PYTHONPATH=TREE python benchmarks/stage_costs.py

Reads a JSON line per question from stdin: path of the clip, question, choices, and the level at which the clip is
heard, so that no cache knows the samples. Writes a JSON line: stage -> processor seconds of all threads. TREE is a
checkout of this commit or of an earlier one, whose modules have other names.
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

SETTLING_S = 0.05  # idle threads of a library spin for a while after their work, which belongs to its stage


def find(*places: str) -> Any:  # noqa: ANN401 - whatever that commit calls it
    """Return what the first of these places, `module:name`, that exists holds."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(import_module(module), name)
        except (ModuleNotFoundError, AttributeError):
            continue
    raise LookupError(f"none of these exists here: {', '.join(places)}")


class Stages:
    """The default captioner, ASR and LLM, without caches."""

    def __init__(self) -> None:
        catalog = import_module("services.catalog")
        self._load = find("services.audio.load:load", "services.audio:load")
        self._read = find("agents.reading.reading:read", "agents.reading:read")
        self._ask = find("services.types:Question").ask
        self._captioner = catalog.CAPTIONERS[catalog.DEFAULT_CAPTIONER]()
        self._asr = catalog.ASRS[catalog.DEFAULT_ASR]()
        self._llm = catalog.LLMS[catalog.DEFAULT_LLM](None)

    async def measure(self, path: Path, question: str, choices: tuple[str, ...], level: float) -> dict[str, float]:
        """Return stage -> processor seconds."""
        costs: dict[str, float] = {}
        clip = await _time(costs, "decode", lambda: asyncio.to_thread(self._load, path))
        clip = replace(clip, samples=clip.samples * np.float32(level))
        captions = await _time(costs, "caption", lambda: self._captioner.caption(clip))
        transcript = await _time(costs, "transcribe", lambda: self._asr.transcribe(clip))
        asked = self._ask(question, choices)
        await _time(costs, "read", lambda: self._read(self._llm, asked, captions + transcript))
        return costs


async def _time(costs: dict[str, float], stage: str, work: Callable[[], Awaitable[Any]]) -> Any:  # noqa: ANN401
    started = time.process_time()
    made = await work()
    await asyncio.sleep(SETTLING_S)
    costs[stage] = round(time.process_time() - started, 4)
    return made


async def main() -> None:
    """Answer each line."""
    stages = Stages()
    for line in iter(sys.stdin.readline, ""):
        asked = json.loads(line)
        costs = await stages.measure(
            Path(asked["clip"]), asked["question"], tuple(asked["choices"]), float(asked["level"])
        )
        print(json.dumps(costs), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
