"""An LLM that replies by rule: for tests, never for answers."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeAlias

from services.llms.batching import Batch, Batcher, Prompt
from services.scripted.rules import follow, not_expected
from services.types import Choice, Message, Reading, ReadingStyle

ReplyRule: TypeAlias = Callable[[str], str | Reading | Awaitable[str | Reading]]
ChoiceRule: TypeAlias = Callable[[str, tuple[Choice, ...]], Reading | Awaitable[Reading]]


class ScriptedLLM:
    """Says what a rule makes of the last message; see `services.scripted.rules` for what a rule may do.

    Args:
        rule: last message -> reply, or a whole reading; an error where no reply is expected.
        choose: last message, options -> reading, for multiple-choice prompts; by default the reply of `rule`.
        compare: the same for prompts that do not list the options; an error where none is expected.
        name: what `name` returns.
        revision: what `revision` returns.
        latency_s: how long every reply takes.
        style: how it reads best.
    """

    def __init__(
        self,
        rule: ReplyRule = not_expected,
        choose: ChoiceRule | None = None,
        *,
        compare: ChoiceRule = not_expected,
        name: str = "scripted",
        revision: str = "1",
        latency_s: float = 0.0,
        style: ReadingStyle | None = None,
    ) -> None:
        self.name, self.revision = name, revision
        self.style = style or ReadingStyle()
        self.prompts: list[tuple[Message, ...]] = []
        """The prompts that it was given, in order."""
        self._rule, self._choose, self._compare, self._latency_s = rule, choose, compare, latency_s

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Reply as the script says, and note the messages."""
        await self._note(messages)
        said: str | Reading = await follow(self._rule, messages[-1].content)
        return said if isinstance(said, Reading) else Reading(reply=said)

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Choose as the script says; without a rule for choosing, reply."""
        if self._choose is None:
            return await self.complete(messages)
        await self._note(messages)
        return await follow(self._choose, messages[-1].content, choices)

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Compare the options as the script says, and note the messages."""
        await self._note(messages)
        return await follow(self._compare, messages[-1].content, choices)

    async def _note(self, messages: tuple[Message, ...]) -> None:
        self.prompts.append(messages)
        await asyncio.sleep(self._latency_s)


class ScriptedStructuredLLM(ScriptedLLM):
    """Says what a rule makes of the last message, and notes the JSON schema that a reply was to keep to, if any."""

    takes_schema = True

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - those of `ScriptedLLM`
        super().__init__(*arguments, **named)
        self.schemas: list[dict[str, Any]] = []
        """The schemas, in order."""

    async def complete_as(self, messages: tuple[Message, ...], schema: dict[str, Any]) -> Reading:
        """Reply as the script says, whether that is of the schema or not, and note the messages and the schema."""
        self.schemas.append(schema)
        return await self.complete(messages)


class ScriptedLoadableLLM(ScriptedLLM):
    """Says what a rule makes of the last message, and counts how often its weights were read."""

    fingerprint = "1"

    def __init__(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401 - those of `ScriptedLLM`
        super().__init__(*arguments, **named)
        self.num_loads = 0

    def load(self) -> None:
        """Count a reading of the weights."""
        self.num_loads += 1


class BatchingLLM:
    """Reads every prompt alike, in batches whose sizes it notes.

    Args:
        reading: what it makes of any prompt.
        name: what `name` returns.
        fingerprint: what `fingerprint` returns.
    """

    revision = "1"
    style = ReadingStyle()

    def __init__(self, reading: Reading, *, name: str = "batching", fingerprint: str = "1") -> None:
        self.name, self.fingerprint = name, fingerprint
        self.batch_sizes: list[int] = []
        self._reading, self._batcher = reading, Batcher(self._read, max_size=16)

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Read the prompt with the others that wait."""
        return await self._batcher.submit(Prompt(messages))

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Read the prompt with the others that wait."""
        return await self._batcher.submit(Prompt(messages, choices))

    async def compare(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Read the prompt with the others that wait."""
        return await self._batcher.submit(Prompt(messages, choices))

    def _read(self, prompts: Batch[Prompt]) -> Sequence[Reading]:
        self.batch_sizes.append(len(prompts))
        return [self._reading] * len(prompts)
