"""What a captioner is asked to listen for, read out of the words of a focus.

A focus may be any words. The form `topic: question; options: first; second` names a topic of `TOPICS` and the options
that a listener should tell apart; without a topic, the words choose it.
"""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

TOPICS: Mapping[str, str] = {
    "order": r"\b(order|first|last|before|after|begins?|starts?|ends?|sequence)\b",
    "count": r"\b(how (many|often)|number of|count|times)\b",
    "tempo": r"\b(tempo|bpm|beats?|metre|meter|rhythm|bar)\b",
    "key": r"\b(key|chords?|scale|harmon\w+|major|minor)\b",
    "pitch": r"\b(pitch|frequency|hertz|hz|melody|notes?|higher|lower|ascend\w*|descend\w*)\b",
    "emotion": r"\b(emotion\w*|mood|feel\w*|tone)\b",
    "speaker": r"\b(speakers?|who|voices?|people|person|man|woman|talk\w*)\b",
    "quality": r"\b(quality|loud\w*|volume|defects?|noisy|clean|reverb\w*)\b",
    "instrument": r"\b(instruments?|plays?|played)\b",
}
"""Topic -> pattern of the words that ask for it, the more telling ones first; `sound` stands for all else."""

PREFIX = 4  # letters that two words for one thing have in common: "barking", "bark"


class Focus(NamedTuple):
    """A focus, read."""

    topic: str
    question: str
    """In lower case."""
    options: tuple[str, ...]
    is_named: bool
    """Whether the topic was named, not chosen by the words."""

    def asks(self, pattern: str) -> bool:
        """Say whether the question has one of these words."""
        return re.search(rf"\b({pattern})\b", self.question) is not None

    def named(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return the labels that an option may mean, in their order."""
        wanted = frozenset[str]().union(*map(_stems, self.options))
        return tuple(label for label in labels if _stems(label) & wanted)


def read_focus(text: str) -> Focus:
    """Read a focus; any text is one."""
    head, _, listed = text.lower().partition("; options:")
    topic, colon, question = head.partition(":")
    options = tuple(option.strip() for option in listed.split(";") if option.strip())
    if colon and topic.strip() in {*TOPICS, "sound"}:
        return Focus(topic.strip(), question.strip(), options, is_named=True)
    found = (name for name, pattern in TOPICS.items() if re.search(pattern, head))
    return Focus(next(found, "sound"), head.strip(), options, is_named=False)


@cache
def _read_stop_words() -> frozenset[str]:
    """Return the words that tell no option from another."""
    return frozenset(files("services.captioners").joinpath("stop_words.txt").read_text().split())


def _stems(text: str) -> frozenset[str]:
    return frozenset(word[:PREFIX] for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in _read_stop_words())
