"""An LLM that answers nothing and records what it was asked, so that training rows hold the very prompts of a path."""

from typing import NamedTuple

from services.types import Choice, Message, Reading, ReadingStyle


class RecordedPrompt(NamedTuple):
    """A prompt that lists options, as a path made it."""

    messages: tuple[Message, ...]
    choices: tuple[Choice, ...]


class PromptRecorder:
    """Records prompts, and finds all options equally likely, so that the cascade listens again whenever it may.

    Args:
        style: of the LLM that the prompts are for.
    """

    name, revision = "recorder", "1"

    def __init__(self, style: ReadingStyle) -> None:
        self.style = style
        self.prompts: list[RecordedPrompt] = []

    async def complete(self, messages: tuple[Message, ...]) -> Reading:
        """Refuse an open question: only prompts that list options are recorded."""
        raise ValueError(f"an open question has no options to record: {messages[-1].content!r}")

    async def choose(self, messages: tuple[Message, ...], choices: tuple[Choice, ...]) -> Reading:
        """Record the prompt."""
        self.prompts.append(RecordedPrompt(messages, choices))
        return Reading(reply="", probabilities={choice.letter: 1 / len(choices) for choice in choices})
