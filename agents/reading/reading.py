"""Reading of a question by an LLM: from the prompt to reply and choice, averaged over orders of the options."""

import asyncio
import math
from typing import NamedTuple, TypeAlias

from agents.reading.confidence import TINY
from agents.reading.prompts import build_prompt
from agents.reading.relevance import select_statements
from agents.reading.reply import read_choice
from services.protocols import LLM
from services.questions import drop_own_letters
from services.types import Choice, Evidence, Question, Reading, Usage

Shown: TypeAlias = tuple[Evidence, ...] | None


class ReadAnswer(NamedTuple):
    """Answer of an LLM, and how it was prompted."""

    reply: str
    choice: Choice | None
    probabilities: dict[str, float]
    note: str
    """For the trace: the LLM, the number of statements in the prompt, and the number of orders of the options."""
    usage: Usage = Usage()


class RotatedLLM:
    """An LLM with a given number of rotations of the options in place of its own."""

    def __init__(self, llm: LLM, num_rotations: int) -> None:
        self.name, self.revision = llm.name, llm.revision
        self.style = llm.style.model_copy(update={"num_rotations": num_rotations})
        self.complete, self.choose = llm.complete, llm.choose


async def read(llm: LLM, question: Question, evidence: tuple[Evidence, ...] | None = None) -> ReadAnswer:
    """Prompt the LLM with this evidence; its probabilities decide, and only where it has none, its words."""
    shown = None if evidence is None else select_statements(question, evidence, llm.style)
    if not question.choices:
        reading = await llm.complete(build_prompt(question, shown))
        return ReadAnswer(reading.reply, None, {}, _format_note(llm, shown, evidence, 1), reading.usage)
    lists_options = llm.style.scores == "letters"
    orders = min(llm.style.num_rotations, len(question.choices)) if lists_options else 1
    note = _format_note(llm, shown, evidence, orders)
    rotated = [_rotate(question, by) for by in range(orders)]
    prompts = [build_prompt(one, shown, lists_options=lists_options) for one in rotated]
    readings = await asyncio.gather(
        *(llm.choose(prompt, drop_own_letters(one.choices)) for prompt, one in zip(prompts, rotated, strict=True))
    )
    usage = sum((one.usage for one in readings), Usage())
    probabilities = _average(question, [_undo_rotation(one, by) for by, one in enumerate(readings)])
    if not probabilities:
        reply = readings[0].reply
        return ReadAnswer(reply, read_choice(reply, question.choices), {}, note, usage)
    choice = max(question.choices, key=lambda choice: probabilities[choice.letter])
    return ReadAnswer(readings[0].reply if orders == 1 else choice.letter, choice, probabilities, note, usage)


def _format_note(llm: LLM, shown: Shown, evidence: Shown, orders: int) -> str:
    parts = [llm.name]
    if shown is not None and evidence is not None and len(shown) < len(evidence):
        parts.append(f"{len(shown)} of {len(evidence)} statements")
    if orders > 1:
        parts.append(f"{orders} orders of the options")
    return ", ".join(parts)


def _rotate(question: Question, by: int) -> Question:
    texts = [choice.text for choice in question.choices]
    return Question.ask(question.text, tuple(texts[by:] + texts[:by]), id=question.id)


def _undo_rotation(reading: Reading, by: int) -> list[float]:
    """Return the probabilities in the order in which the question gave its options, undoing the rotation."""
    given = [reading.probabilities[letter] for letter in sorted(reading.probabilities)]
    return given[len(given) - by :] + given[: len(given) - by]


def _average(question: Question, by_position: list[list[float]]) -> dict[str, float]:
    """Return the geometric mean over the rotations: over all of them, a bias for a letter cancels out."""
    if not all(by_position):
        return {}
    logs = [sum(math.log(max(p, TINY)) for p in column) / len(by_position) for column in zip(*by_position, strict=True)]
    weights = [math.exp(log - max(logs)) for log in logs]
    return {choice.letter: w / sum(weights) for choice, w in zip(question.choices, weights, strict=True)}
