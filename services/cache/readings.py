"""Content-addressed cache of readings: an LLM that always reads the same prompt alike reads it once.

The key is the SHA-256 of the whole prompt, of the options and of the kind of call; the prompt itself is not stored.
"""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import TypeAdapter

from services.cache.two_level import TwoLevelCache
from services.protocols import Loadable, RepeatableLLM
from services.types import Choice, Message, Reading, Value

READING = TypeAdapter(Reading)

Call: TypeAlias = Literal["complete", "choose", "compare"]


class CachedLLM:
    """An LLM that reads each prompt once.

    Args:
        llm: reads a prompt that is new.
        folder: where readings are kept.
    """

    def __init__(self, llm: RepeatableLLM, folder: Path) -> None:
        self.name, self.revision, self.style = llm.name, llm.revision, llm.style
        self._llm = llm
        self._cache = TwoLevelCache(folder, "readings", f"{llm.name}-{llm.fingerprint}", READING)

    def load(self) -> None:
        """Have the model read its weights now, if it can wait for the first prompt that is not cached."""
        if isinstance(self._llm, Loadable):
            self._llm.load()

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Return the reply from the cache, or have the LLM write it."""
        return await self._cache.get(_hash_call("complete", messages), lambda: self._llm.complete(messages))

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Return the reading from the cache, or have the LLM choose."""
        return await self._cache.get(
            _hash_call("choose", messages, choices), lambda: self._llm.choose(messages, choices)
        )

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Return the comparison from the cache, or have the LLM compare."""
        return await self._cache.get(
            _hash_call("compare", messages, choices), lambda: self._llm.compare(messages, choices)
        )


def _hash_call(call: Call, messages: Sequence[Message], choices: Sequence[Choice] = ()) -> str:
    said: list[list[Value]] = [list(messages), list(choices)]
    written = json.dumps([call, *([one.model_dump() for one in part] for part in said)])
    return sha256(written.encode()).hexdigest()
