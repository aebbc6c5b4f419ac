"""Topic detection: which analysis a focus calls for, and which of the sounds, instruments or notes it asks about."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from services.types import Focus, Topic

TOPICS: Mapping[Topic, str] = {
    "style": r"\b(genres?|styles? of (the )?music|musical styles?)\b",
    "order": r"\b(order|first|last|before|after|begins?|starts?|ends?|sequence|longest|shortest|lasts|duration)\b",
    "count": r"\b(how (many|often)|number of|count|times)\b",
    "tempo": r"\b(tempo|bpm|beats?|metre|meter|time signature|rhythm|bar)\b",
    "key": r"\b(key|chords?|scale|harmon\w+|major|minor)\b",
    "pitch": r"\b(pitch|frequency|hertz|hz|melody|notes?|higher|lower|ascend\w*|descend\w*)\b",
    "emotion": r"\b(emotion\w*|mood|feel\w*|tone)\b",
    "speaker": r"\b(speakers?|who|voices?|people|person|man|woman|talk\w*)\b",
    "quality": r"\b(quality|loud\w*|volume|defects?|noisy|clean|reverb\w*)\b",
    "instrument": r"\b(instruments?|plays?|played)\b",
}
"""Topic -> pattern of the words that ask for it, the more specific ones first; `sound` stands for all else."""

COUNTED = (
    r"\b(?:how many|numbers? of|count(?:s|ed|ing)?(?: up)?)\s+(?:of\s+)?(?:the\s+)?"
    r"(?:(?!(?:times|do|does|did|is|are|was|were|can|could|has|have|had|will|would|in|of|the|a|an)\b)[\w'-]+\s+){0,3}"
)
"""Pattern of what comes before the thing that is counted: how many, and words that describe it."""

PREFIX = 4  # letters that inflected forms of a word share: "barking", "bark"


class FocusQuery(NamedTuple):
    """A focus with its topic resolved and its words in lower case."""

    topic: Topic
    question: str
    options: tuple[str, ...]
    is_named: bool
    """Whether the topic was named, not chosen by the words."""

    def asks(self, pattern: str) -> bool:
        """Return whether the question contains one of these words."""
        return re.search(rf"\b({pattern})\b", self.question) is not None

    def asks_how_many(self, pattern: str) -> bool:
        """Return whether the question counts one of these words: "how many speakers", not "how often speakers"."""
        return re.search(rf"{COUNTED}(?:{pattern})\b", self.question) is not None

    def find_named(self, labels: Iterable[str]) -> tuple[str, ...]:
        """Return the labels that an option may mean, in their order."""
        wanted = frozenset[str]().union(*map(_find_stems, self.options))
        return tuple(label for label in labels if _find_stems(label) & wanted)


def resolve_focus(focus: Focus) -> FocusQuery:
    """Return the query of a focus; where it names no topic, the words of its question choose one."""
    question = focus.question.lower().strip()
    options = tuple(option.lower().strip() for option in focus.options if option.strip())
    if focus.topic:
        return FocusQuery(focus.topic, question, options, is_named=True)
    found = (name for name, pattern in TOPICS.items() if re.search(pattern, question))
    return FocusQuery(next(found, "sound"), question, options, is_named=False)


@cache
def _read_stop_words() -> frozenset[str]:
    """Return the words that do not distinguish one option from another."""
    return frozenset(files("services.captioners").joinpath("stop_words.txt").read_text().split())


def _find_stems(text: str) -> frozenset[str]:
    return frozenset(word[:PREFIX] for word in re.findall(r"[a-z]{3,}", text.lower()) if word not in _read_stop_words())
