"""One question read by one LLM: from messages to reply and choice."""

from typing import NamedTuple

from agents.prompts import messages
from agents.reply import read_choice
from services.protocols import LLM
from services.types import Choice, Evidence, Question


class Read(NamedTuple):
    """What an LLM answered."""

    reply: str
    choice: Choice | None
    probabilities: dict[str, float]


async def read(llm: LLM, question: Question, evidence: tuple[Evidence, ...] = ()) -> Read:
    """Ask the LLM with this evidence; its probabilities decide, and only where it has none, its words."""
    prompt = messages(question, evidence)
    if not question.choices:
        return Read(await llm.complete(prompt), None, {})
    reading = await llm.choose(prompt, question.choices)
    choice = _most_probable(question, reading.probabilities) or read_choice(reading.reply, question.choices)
    return Read(reading.reply, choice, reading.probabilities)


def _most_probable(question: Question, probabilities: dict[str, float]) -> Choice | None:
    if not probabilities:
        return None
    return max(question.choices, key=lambda choice: probabilities[choice.letter])
