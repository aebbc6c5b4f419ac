"""Paraphrases of questions, for the control of that name: frames around a question, none of which changes its answer.

The frames have a version, which stands in the run's record, and are other ones than those that the reader was trained
on (`agents/rows/frames.json`). The options stay as they are.
"""

import random
import re
from pathlib import Path

from pydantic import BaseModel

from eval.benchmarks.benchmark import Item

FILE = Path(__file__).with_name("wordings.json")
BEGINS_A_CLAUSE = re.compile(
    r"(?:what|which|whose?|how|where|when|why|is|are|was|were|does|do|did|can)\b", re.IGNORECASE
)


class ParaphraseFrames(BaseModel):
    """Frames; those of clauses take a question that begins with a small letter."""

    version: int
    heard: tuple[str, ...]
    """For questions about a recording."""
    heard_clause: tuple[str, ...]
    read: tuple[str, ...]
    """For questions about none."""
    read_clause: tuple[str, ...]


def read_wordings() -> ParaphraseFrames:
    """Return the frames."""
    return ParaphraseFrames.model_validate_json(FILE.read_bytes())


def paraphrase(item: Item, wordings: ParaphraseFrames, seed: int) -> Item:
    """Return an item whose question is put in a frame that is drawn for it, whatever else is asked."""
    plain, clauses = (wordings.heard, wordings.heard_clause) if item.audio else (wordings.read, wordings.read_clause)
    is_clause = BEGINS_A_CLAUSE.match(item.question) is not None
    rng = random.Random(f"{seed} {item.id}")  # noqa: S311 - nothing secret
    frame = rng.choice([*plain, *(clauses if is_clause else ())])
    text = item.question[0].lower() + item.question[1:] if frame in clauses else item.question
    return item.model_copy(update={"question": frame.format(question=text)})
