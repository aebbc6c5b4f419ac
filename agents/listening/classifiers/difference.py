"""NamedDifference classification: how an option says that a second sound differs from a first one.

A linear classifier (`agents.listening.classifiers.text_classifier`), fitted on templates that say the same in many ways
(`python -m benchmarks.planner.fit_differences`). It does not heed which of the two an option speaks of: that is told by
its words (`names_first`).
"""

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from agents.listening.classifiers.text_classifier import open_text_classifier

NamedDifference: TypeAlias = Literal[
    "longer",
    "shorter",
    "louder",
    "quieter",
    "higher",
    "lower",
    "faster",
    "slower",
    "brighter",
    "duller",
    "backwards",
    "same",
    "same voice",
    "other voice",
]
DIFFERENCES: tuple[NamedDifference, ...] = get_args(NamedDifference)
PAIRS: tuple[tuple[NamedDifference, NamedDifference], ...] = (
    ("longer", "shorter"),
    ("louder", "quieter"),
    ("higher", "lower"),
    ("faster", "slower"),
    ("brighter", "duller"),
)
OPPOSITES: Mapping[NamedDifference, NamedDifference] = {
    one: other for pair in PAIRS for one, other in (pair, pair[::-1])
}
FILE = "difference.safetensors"
OTHER = "other"
"""Label of an option that names none of them."""
FIRST = re.compile(r"\b(first|former|earlier|opening|beginning|original)\b")
SECOND = re.compile(r"\b(second|latter|later|other|last|repeat|repetition|ending)\b")
FURTHER = re.compile(r"\b(third|fourth|fifth|sixth)\b")
COMPARED = re.compile(r"\b(?:than|as|compared|like|unlike)\b")


def estimate_differences(option: str) -> Mapping[NamedDifference, float]:
    """Estimate the probability of each difference that an option may name, of the second sound from the first.

    What is left to 1 is that it names none of them.
    """
    found = open_text_classifier(FILE).estimate(option)
    is_of_first = names_first(option) is True
    return {one: found[OPPOSITES.get(one, one) if is_of_first else one] for one in DIFFERENCES}


def names_first(option: str) -> bool | None:
    """Say whether an option speaks of the first of two sounds, and not of the second; None where it names neither."""
    subject = COMPARED.split(option.lower(), maxsplit=1)[0]
    first, second = FIRST.search(subject), SECOND.search(subject)
    if first and second:
        return first.start() < second.start()
    return bool(first) if first or second else None


def names_further(option: str) -> bool:
    """Say whether an option speaks of a third sound, or one after it: then there are not two to compare."""
    return FURTHER.search(option.lower()) is not None
