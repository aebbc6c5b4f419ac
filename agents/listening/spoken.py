"""Spoken prompt injection: what is said is withheld from a question that surely does not ask about it.

A linear classifier over hashed n-grams of the question (`agents.listening.text_classifier`) estimates whether it does.
Where it surely does not, a reader gets no transcript: an instruction, or the name of an option, that is spoken in a
recording then decides nothing, whatever its words. `python -m benchmarks.planner.fit_said` fits the classifier;
`benchmarks/spoken_injections.py` attacks.
"""

import re
from functools import cache
from typing import TYPE_CHECKING

from services.types import Evidence, Question

if TYPE_CHECKING:
    from agents.listening.text_classifier import TextClassifier

FILE = "said.safetensors"
SAID, OTHER = "said", "other"
QUOTATION = re.compile(r'["“„][^"“”„]*(?:["“”]|\Z)|«[^«»]*(?:»|\Z)|「[^「」]*(?:」|\Z)')
DROPPED = '"…"'
LEAST = 0.01
"""Probability that a question asks about what is said, from which that is read. To miss it costs the answer: below it
are 1 % of MMAR's questions about speech, none of which it was fitted on, and a quarter of those about music.
"""


def asks_about_speech(question: Question) -> bool:
    """Tell whether a question may ask about what is said."""
    return estimate_asks_about_speech(question.text) >= LEAST


def estimate_asks_about_speech(text: str) -> float:
    """Estimate the probability that a question asks about what is said."""
    return _open_classifier().estimate(text)[SAID]


def hide_speech(question: Question, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return the evidence for a reader, without what is said where the question does not ask about it.

    Transcripts are left out, and of captions, which a model on a server writes, what stands in quotation marks.
    """
    if asks_about_speech(question):
        return evidence
    return tuple(_drop_quotations(one) for one in evidence if one.kind != "transcript")


def _drop_quotations(statement: Evidence) -> Evidence:
    if statement.kind != "caption":
        return statement
    return statement.model_copy(update={"text": QUOTATION.sub(DROPPED, statement.text)})


@cache
def _open_classifier() -> "TextClassifier":
    """Read the classifier that ships, once."""
    # With it comes numpy, which a path that reads no evidence does not need.
    from agents.listening.text_classifier import TextClassifier
    from services.captioners.head import read_head

    labels, tensors = read_head("agents.listening", FILE)
    return TextClassifier(labels, tensors["weights"], tensors["scale"], tensors["bias"])
