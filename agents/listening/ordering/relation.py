"""Temporal relation classification: how the sound that a question asks for lies in time, by the words of the question.

A linear classifier over hashed n-grams (`agents.listening.text_classifier`), fitted on templates that say the same in
many ways (`python -m benchmarks.planner.fit_relations`).
"""

from collections.abc import Mapping
from functools import cache
from typing import Literal, TypeAlias, get_args

from agents.listening.text_classifier import TextClassifier
from services.captioners.head import read_head

Relation: TypeAlias = Literal["first", "last", "second", "third", "next", "previous", "longest", "shortest"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
FILE = "relation.safetensors"
OTHER = "other"
"""Label of a question that asks for none of them."""


def estimate_relations(text: str) -> Mapping[Relation, float]:
    """Estimate the probability of each relation for a question; what is left to 1 is that it asks for none."""
    found = _open_classifier().estimate(text)
    return {relation: found[relation] for relation in RELATIONS}


@cache
def _open_classifier() -> TextClassifier:
    labels, tensors = read_head("agents.listening.ordering", FILE)
    return TextClassifier(labels, tensors["weights"], tensors["scale"], tensors["bias"])
