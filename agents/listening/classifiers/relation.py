"""Temporal relation classification: how the sound that a question asks for lies in time, by the words of the question.

A linear classifier (`agents.listening.classifiers.text_classifier`), fitted on templates that say
the same in many ways (`python -m benchmarks.planner.fit_relations`).
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from agents.listening.classifiers.text_classifier import open_text_classifier

Relation: TypeAlias = Literal["first", "last", "second", "third", "next", "previous", "longest", "shortest"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
FILE = "relation.safetensors"
OTHER = "other"
"""Label of a question that asks for none of them."""


def estimate_relations(text: str) -> Mapping[Relation, float]:
    """Estimate the probability of each relation for a question; what is left to 1 is that it asks for none."""
    found = open_text_classifier(FILE).estimate(text)
    return {relation: found[relation] for relation in RELATIONS}
