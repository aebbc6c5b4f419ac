"""Stems of words: what two texts have in common, whatever the endings."""

import re
from functools import cache
from importlib.resources import files

NUM_STEM_LETTERS = 5  # "dripping" and "dripped" meet at "dripp": close enough without a stemmer


def extract_stems(text: str) -> frozenset[str]:
    """Return the stems of the words of a text, without stop words."""
    return frozenset(
        word[:NUM_STEM_LETTERS] for word in re.findall(r"\w+", text.lower()) if word not in read_stop_words()
    )


@cache
def read_stop_words() -> frozenset[str]:
    """Return the words that say nothing about relevance, from `stop_words.txt`, read once."""
    return frozenset(files("agents.reading").joinpath("stop_words.txt").read_text().split())
