"""An audio-language model that replies by rule: for tests, never for answers."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from services.protocols import GivenEvidence
from services.scripted.rules import follow, not_expected
from services.types import AudioClip, Choice, Evidence, Message, Reading, ReadingStyle

ListenRule: TypeAlias = Callable[[str, AudioClip], Reading | Awaitable[Reading]]
HeardChoiceRule: TypeAlias = Callable[[str, AudioClip, tuple[Choice, ...]], Reading | Awaitable[Reading]]


class ScriptedLALM:
    """Reads what a rule makes of the last message and the clip; see `services.scripted.rules` for what a rule may do.

    Args:
        rule: last message, clip -> reading; an error where no reading is expected.
        choose: last message, clip, options -> reading, for multiple-choice prompts; by default what `rule` makes of it.
        name: what `name` returns.
        style: what it can be given.
    """

    revision = "1"

    def __init__(
        self,
        rule: ListenRule = not_expected,
        choose: HeardChoiceRule | None = None,
        *,
        name: str = "scripted",
        style: ReadingStyle | None = None,
    ) -> None:
        self.name = name
        self.style = style or ReadingStyle(takes_evidence=True)
        self.prompts: list[tuple[Message, ...]] = []
        """The prompts that it was given, in order."""
        self.given: list[tuple[Evidence, ...] | None] = []
        """What stood beside the clip of each."""
        self._rule, self._choose = rule, choose

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip, given: GivenEvidence = None) -> Reading:
        """Reply as the script says, and note the messages."""
        self._note(messages, given)
        return _add(await follow(self._rule, messages[-1].content, clip), given)

    async def choose(
        self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...], given: GivenEvidence = None
    ) -> Reading:
        """Choose as the script says; without a rule for choosing, reply."""
        if self._choose is None:
            return await self.listen(messages, clip, given)
        self._note(messages, given)
        return _add(await follow(self._choose, messages[-1].content, clip, choices), given)

    def _note(self, messages: tuple[Message, ...], given: tuple[Evidence, ...] | None) -> None:
        self.prompts.append(messages)
        self.given.append(given)


class ScriptedMultiClipLALM(ScriptedLALM):
    """Hears several recordings in one prompt, and replies with its first message and their number.

    Args:
        max_clips: how many recordings it hears in one prompt.
        choose: last message, first clip, options -> reading.
        name: what `name` returns.
    """

    def __init__(self, max_clips: int, choose: HeardChoiceRule, *, name: str = "scripted") -> None:
        super().__init__(choose=choose, name=name, style=ReadingStyle(max_clips=max_clips))

    async def listen_to_several(self, messages: tuple[Message, ...], clips: tuple[AudioClip, ...]) -> Reading:
        """Repeat the first message, and say how many recordings came with it."""
        return Reading(reply=f"{messages[0].content} {len(clips)}")

    async def choose_of_several(
        self, messages: tuple[Message, ...], clips: tuple[AudioClip, ...], choices: tuple[Choice, ...]
    ) -> Reading:
        """Choose as the script says, and note the messages."""
        return await self.choose(messages, clips[0], choices)


def _add(reading: Reading, given: tuple[Evidence, ...] | None) -> Reading:
    """Return the reading with what was given beside the clip."""
    return reading if given is None else reading.model_copy(update={"given": given})


class LazyLALM(ScriptedLALM):
    """A LALM that counts how often its weights are read; implements `Loadable` too."""

    num_loads = 0

    def load(self) -> None:
        """Count."""
        self.num_loads += 1
