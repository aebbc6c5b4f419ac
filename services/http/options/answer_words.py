"""Words with which prompts in many languages say how an answer is to be written; the lists are data.

A word with `*` behind it stands for all that begin so. Words of languages without spaces are found inside others.
"""

import re
from functools import cache
from pathlib import Path

from services.types import Value

UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # Thai, Japanese, Chinese, Korean


class AnswerWords(Value):
    """The lists of `answer_words.json`, of all languages together."""

    letter: tuple[str, ...]
    """What marks an option in most prompts."""
    number: tuple[str, ...]
    """What marks an option in the others."""
    ask: tuple[str, ...]
    """How a sentence begins that says how to answer."""
    choose: tuple[str, ...]
    """In a sentence that asks to take one of the options that follow."""
    option: tuple[str, ...]
    """Nouns for an option."""
    only: tuple[str, ...]
    denial: tuple[str, ...]
    """Before a letter: it is not what is wanted."""
    answer: tuple[str, ...]
    """What stands before the answer in a form to fill in, and in the last line of a prompt."""
    replier: tuple[str, ...]
    """Who answers in a dialogue that is written as one text."""
    copula: tuple[str, ...]
    """What stands between `answer` and the answer in a statement."""
    question_label: tuple[str, ...]
    """What stands before the question."""
    options_label: tuple[str, ...]
    """What stands before the options."""
    evidence: tuple[str, ...]
    """Names of fields for what an answer rests on."""
    confidence: tuple[str, ...]
    """Names of fields for how sure it is."""


@cache
def read_answer_words() -> AnswerWords:
    """Return the lists."""
    return AnswerWords.model_validate_json(Path(__file__).with_suffix(".json").read_bytes())


def make_pattern_of_any(words: tuple[str, ...]) -> str:
    """Return a pattern of any of these words."""
    return "(?:" + "|".join(sorted(map(_make_pattern, words), key=len, reverse=True)) + ")"


def _make_pattern(word: str) -> str:
    stem = re.escape(word.rstrip("*"))
    if UNSPACED.search(word) or word == "n't":
        return stem
    return rf"(?<!\w){stem}" + (r"\w*" if word.endswith("*") else r"(?!\w)")


@cache
def compile_any(words: tuple[str, ...]) -> re.Pattern[str]:
    """Compile the pattern of any of these words, in upper or lower case."""
    return re.compile(make_pattern_of_any(words), re.IGNORECASE)
