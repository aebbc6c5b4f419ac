"""An LLM that replies by rule: for tests, never for answers."""

import asyncio
from collections.abc import Callable

from services.types import Choice, Message, Reading, ReadingStyle


class ScriptedLLM:
    """Says what `rule` makes of the last message.

    Args:
        rule: last message -> reply; what it raises, the model raises.
        latency_s: how long every reply takes.
    """

    revision = "1"
    style = ReadingStyle()

    def __init__(self, rule: Callable[[str], str], *, name: str = "scripted", latency_s: float = 0.0) -> None:
        self.name = name
        self._rule = rule
        self._latency_s = latency_s

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        await asyncio.sleep(self._latency_s)
        return Reading(reply=self._rule(messages[-1].content))

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:  # noqa: ARG002
        return await self.complete(messages)
