"""Other wordings of a question: frames around it, and other ways to write its options.

Everybody words a question in their own way; a reader that was trained on one way would learn that way.
"""

import json
import random
import re
from pathlib import Path

from lalm.distill.facts import uncapitalise
from services.types import Question

FRAMES: dict[str, list[str]] = json.loads(Path(__file__).with_name("frames.json").read_text(encoding="utf-8"))
BEGINS_A_CLAUSE = re.compile(r"(?:what|which|whose?|how|where|when|why|is|are|does|do|can)\b", re.IGNORECASE)


def reword(question: Question, rng: random.Random, *, framed: float, restyled: float) -> Question:
    """Reword a question with these probabilities; the order of its options stays."""
    text = frame_question(question.text, rng) if rng.random() < framed else question.text
    options = tuple(choice.text for choice in question.choices)
    if rng.random() < restyled:
        restyle = rng.choice((uncapitalise, _end_with_full_stop))
        restyled_options = tuple(map(restyle, options))
        options = restyled_options if len(set(restyled_options)) == len(options) else options
    return Question.ask(text, options, id=question.id)


def frame_question(text: str, rng: random.Random) -> str:
    """Put a question in one of the frames."""
    is_clause = BEGINS_A_CLAUSE.match(text) is not None
    frame: str = rng.choice([*FRAMES["sentence"], *(FRAMES["clause"] if is_clause else ())])
    return frame.format(question=uncapitalise(text) if frame in FRAMES["clause"] else text)


def _end_with_full_stop(option: str) -> str:
    return option if option.endswith((".", "?", "!")) else f"{option}."
