"""An audio-language model that replies by rule: for tests, never for answers."""

from collections.abc import Callable

from services.types import AudioClip, Choice, Message, Reading, ReadingStyle


class ScriptedLALM:
    """Reads what `rule` makes of the last message and the clip.

    Args:
        rule: last message, clip -> reading; what it raises, the model raises.
    """

    revision = "1"
    style = ReadingStyle()

    def __init__(self, rule: Callable[[str, AudioClip], Reading], *, name: str = "scripted") -> None:
        self.name = name
        self._rule = rule

    async def listen(self, messages: tuple[Message, ...], clip: AudioClip) -> Reading:
        return self._rule(messages[-1].content, clip)

    async def choose(self, messages: tuple[Message, ...], clip: AudioClip, choices: tuple[Choice, ...]) -> Reading:  # noqa: ARG002
        return await self.listen(messages, clip)
