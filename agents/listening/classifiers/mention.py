"""Ordinal classification of mentions: whether a question asks for what is said first, second, third or last.

A linear classifier (`agents.listening.classifiers.text_classifier`), fitted on templates that say the same in many ways
(`python -m benchmarks.planner.fit_mentions`). What speakers do first, and who speaks first, are other questions.
"""

from collections.abc import Mapping
from typing import Literal, TypeAlias, get_args

from agents.listening.classifiers.text_classifier import open_text_classifier

MentionPlace: TypeAlias = Literal["first", "second", "third", "last"]
PLACES: Mapping[MentionPlace, int] = dict(zip(get_args(MentionPlace), (0, 1, 2, -1), strict=True))
"""Place among what is said -> its index."""
FILE = "mention.safetensors"


def estimate_mention_places(text: str) -> Mapping[MentionPlace, float]:
    """Estimate the probability of each place for a question; what is left to 1 is that it asks for none."""
    found = open_text_classifier(FILE).estimate(text)
    return {place: found[place] for place in PLACES}
