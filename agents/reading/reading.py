"""Reading of a question by an LLM: from the prompt to reply and choice, averaged over orders of the options."""

import asyncio
import math
from typing import NamedTuple, TypeAlias

from agents.reading.calibration import ModelCalibration, apply_calibration, is_within_chance
from agents.reading.confidence import TINY, Factor, Probabilities, apply_temperature, pool_distributions
from agents.reading.prompts import build_prompt
from services.protocols import LLM, TextComparer
from services.questions import drop_own_letters, read_plain_letter
from services.terminal.counts import format_count
from services.types import (
    Answer,
    AppliedCalibration,
    Choice,
    Evidence,
    PathName,
    Question,
    Reading,
    ReadingStyle,
    Usage,
)

PRIOR_WEIGHT = 0.5  # of the log-likelihood of an option's text without evidence; see docs/log

Shown: TypeAlias = tuple[Evidence, ...] | None


class Selection(NamedTuple):
    """What of the evidence a prompt shows."""

    shown: Shown = None
    covered: tuple[Evidence, ...] = ()
    """The statements whose words it holds."""


class ReadAnswer(NamedTuple):
    """Answer of an LLM, and how it was prompted."""

    reply: str
    choice: Choice | None
    probabilities: dict[str, float]
    """Calibrated, where the LLM has a calibration."""
    raw: dict[str, float]
    """As the LLM gave them, averaged over the orders."""
    note: str
    """For the trace: the LLM, the number of statements in the prompt, and the number of orders of the options."""
    shown: tuple[Evidence, ...] = ()
    """The statements that the prompt held, of those that were given."""
    usage: Usage = Usage()
    scale: AppliedCalibration | None = None
    """Of the probabilities; None without probabilities, or without a calibration."""

    def build_answer(self, question: Question, path: PathName, calibration: ModelCalibration | None) -> Answer:
        """Build the answer to a question; evidence, trace and timings are for the path to add."""
        return Answer(
            question_id=question.id,
            reply=self.reply,
            choice=self.choice,
            probabilities=self.probabilities,
            raw_probabilities=self.raw,
            calibration=self.scale,
            is_unsure=is_within_chance(self.probabilities, calibration),
            path=path,
            usage=self.usage,
        )


class RotatedLLM:
    """An LLM with a given number of rotations of the options in place of its own."""

    def __init__(self, llm: LLM, num_rotations: int) -> None:
        self.name, self.revision = llm.name, llm.revision
        self.style = llm.style.model_copy(update={"num_rotations": num_rotations, "max_lettered": None})
        self.complete, self.choose = llm.complete, llm.choose


async def read(
    llm: LLM,
    question: Question,
    evidence: tuple[Evidence, ...] | None = None,
    calibration: ModelCalibration | None = None,
) -> ReadAnswer:
    """Prompt the LLM with this evidence; its probabilities decide, and only where it has none, its words."""
    if llm.style.max_lettered and len(question.choices) > llm.style.max_lettered:
        return await _read_many(llm, question, evidence, calibration)
    shown, covered = _select(question, evidence, llm.style)
    if not question.choices:
        reading = await llm.complete(build_prompt(question, shown))
        note = _format_note(llm, evidence, covered, 1)
        return ReadAnswer(reading.reply, None, {}, {}, note, covered, reading.usage)
    orders = plan_orders(llm.style, len(question.choices))
    readings = await _read_orders(llm, question, shown, orders)
    by_order = [_undo_rotation(one, by) for one, by in zip(readings, orders, strict=True)]
    note = _format_note(llm, evidence, covered, len(readings))
    usage = sum((one.usage for one in readings), Usage())
    raw = _average(question, by_order)
    if not raw:
        reply = readings[0].reply
        return ReadAnswer(reply, _find_named(reply, question.choices), {}, {}, note, covered, usage)
    choice = max(question.choices, key=lambda choice: raw[choice.letter])
    reply = readings[0].reply if len(readings) == 1 else choice.letter
    scale = calibration.describe(len(raw)) if calibration else None
    return ReadAnswer(reply, choice, apply_calibration(calibration, raw), raw, note, covered, usage, scale)


async def _read_many(
    llm: LLM, question: Question, evidence: tuple[Evidence, ...] | None, calibration: ModelCalibration | None
) -> ReadAnswer:
    """Read many options, which a small LLM cannot tell apart by letters: it letters those whose texts are likeliest."""
    listed = await _compare_texts(llm, question, evidence)
    scale = calibration.shortlist_temperature if calibration else 1.0
    by_text = apply_temperature(listed.probabilities, scale)
    likeliest = sorted(by_text, key=by_text.__getitem__, reverse=True)[: llm.style.max_lettered]
    kept = [choice for choice in question.choices if choice.letter in likeliest]
    shorter = question.with_options([choice.text for choice in kept])
    read_kept = await read(llm, shorter, evidence, calibration)
    original = {short.letter: choice.letter for short, choice in zip(shorter.choices, kept, strict=True)}
    probabilities = _insert_share(by_text, {original[letter]: p for letter, p in read_kept.probabilities.items()})
    raw = _insert_share(listed.probabilities, {original[letter]: p for letter, p in read_kept.raw.items()})
    choice = max(kept, key=lambda choice: probabilities[choice.letter])
    note = f"{read_kept.note}, of the {len(kept)} likeliest of {len(question.choices)}"
    usage = listed.usage + read_kept.usage
    return read_kept._replace(
        reply=choice.letter, choice=choice, probabilities=probabilities, raw=raw, note=note, usage=usage
    )


async def _compare_texts(llm: LLM, question: Question, evidence: tuple[Evidence, ...] | None) -> Reading:
    """Compare the texts of the options: their likelihood, less a part of that without evidence (the prior)."""
    assert isinstance(llm, TextComparer), f"the style of {llm.name!r} says that it compares texts"
    shown, _ = _select(question, evidence, llm.style)
    known = [shown] if shown is None else [shown, ()]
    choices = drop_own_letters(question.choices)
    readings = await asyncio.gather(
        *(llm.compare(build_prompt(question, some, lists_options=False), choices) for some in known)
    )
    factors = [Factor(one.probabilities, weight) for one, weight in zip(readings, (1.0, -PRIOR_WEIGHT), strict=False)]
    usage = sum((one.usage for one in readings), Usage())
    return readings[0].model_copy(update={"probabilities": pool_distributions(*factors), "usage": usage})


def _insert_share(whole: Probabilities, part: Probabilities) -> dict[str, float]:
    """Return a distribution whose share of some options is divided among them as `part` says."""
    share = sum(whole[letter] for letter in part)
    return {letter: share * part[letter] if letter in part else p for letter, p in whole.items()}


def plan_orders(style: ReadingStyle, num_options: int) -> tuple[int, ...]:
    """Return the rotations to read, by how many options each, spread evenly.

    In neighbouring rotations an option among many would keep nearly the same letter. A model that scores the texts of
    the options reads them once.
    """
    count = 1 if style.scores == "texts" else min(style.num_rotations, num_options)
    return tuple(place * num_options // count for place in range(count))


def _select(question: Question, evidence: tuple[Evidence, ...] | None, style: ReadingStyle) -> Selection:
    if evidence is None:
        return Selection()
    # With it come the tables of numbers, 30 ms that path text does without.
    from agents.reading.relevance import list_covered, select_statements

    shown = select_statements(question, evidence, style)
    return Selection(shown, list_covered(evidence, shown))


async def _read_orders(llm: LLM, question: Question, shown: Shown, orders: tuple[int, ...]) -> list[Reading]:
    """Read the question with its options in each of the orders at once; a single one needs no task of its own."""
    readings = [_read_order(llm, question, shown, by) for by in orders]
    return await asyncio.gather(*readings) if len(readings) > 1 else [await readings[0]]


async def _read_order(llm: LLM, question: Question, shown: Shown, by: int) -> Reading:
    """Read the question with its options rotated."""
    rotated = _rotate(question, by)
    prompt = build_prompt(rotated, shown, lists_options=llm.style.scores == "letters")
    return await llm.choose(prompt, drop_own_letters(rotated.choices))


def _format_note(llm: LLM, evidence: Shown, covered: tuple[Evidence, ...], orders: int) -> str:
    parts = [llm.name]
    if evidence and len(covered) < len(evidence):
        parts.append(f"{len(covered)} of {format_count(len(evidence), 'statement')}")
    if orders > 1:
        parts.append(f"{orders} orders of the options")
    return ", ".join(parts)


def _rotate(question: Question, by: int) -> Question:
    texts = [choice.text for choice in question.choices]
    return question.with_options(texts[by:] + texts[:by]) if by else question


def _undo_rotation(reading: Reading, by: int) -> list[float]:
    """Return the log-probabilities in the order in which the question gave its options, undoing the rotation."""
    given = [math.log(max(reading.probabilities[letter], TINY)) for letter in sorted(reading.probabilities)]
    return given[len(given) - by :] + given[: len(given) - by]


def _average(question: Question, by_order: list[list[float]]) -> dict[str, float]:
    """Return the geometric mean over the orders: over all rotations, a bias for a letter cancels out."""
    if not all(by_order):
        return {}
    logs = [sum(column) / len(by_order) for column in zip(*by_order, strict=True)]
    weights = [math.exp(log - max(logs)) for log in logs]
    return {choice.letter: w / sum(weights) for choice, w in zip(question.choices, weights, strict=True)}


def _find_named(reply: str, choices: tuple[Choice, ...]) -> Choice | None:
    """Return the option that a reply names; what reads replies in words is loaded with the first one of them."""
    if plain := read_plain_letter(reply, choices):
        return plain
    from agents.reading.reply import read_choice

    return read_choice(reply, choices)
