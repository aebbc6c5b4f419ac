"""Mention detection: the sound that a sentence names, among those that the tagger knows; loads no model."""

import re
from functools import cache

from services.captioners.naming import STOP_WORDS, NameMatcher
from services.captioners.sounds.vocabulary import read_vocabulary

MAX_WORDS = 3  # words of a mention
MIN_LIKENESS = 0.6  # of a mention and a name; below it they merely share a word
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def find_mention(sentence: str, *, with_voices: bool = False) -> str | None:
    """Find the words that name a sound; None where none do, or where two mentions name different sounds.

    Args:
        sentence: in English.
        with_voices: whether kinds of speakers count as sounds, such as "a man talking".
    """
    words, matcher = WORD.findall(sentence), _open_matcher(with_voices)
    spans = [
        (start, start + size)
        for size in range(1, MAX_WORDS + 1)
        for start in range(len(words) - size + 1)
        if not STOP_WORDS & {words[start].lower(), words[start + size - 1].lower()}
    ]
    weighed = {span: matcher.measure_likeness(" ".join(words[slice(*span)])) for span in spans}
    named = {span: " ".join(words[slice(*span)]) for span in spans if weighed[span] >= MIN_LIKENESS}
    best = max(named, key=lambda span: (weighed[span], span[1] - span[0]), default=None)
    if best is None:
        return None
    meant = matcher.match(named[best])
    others = (run for span, run in named.items() if span[1] <= best[0] or best[1] <= span[0])
    return named[best] if all(meant & matcher.match(run) for run in others) else None


@cache
def _open_matcher(with_voices: bool) -> NameMatcher:
    """Return the matcher of words to sounds, by our names and AudioSet's."""
    vocabulary = read_vocabulary()
    return NameMatcher({**vocabulary.plain, **(vocabulary.voices if with_voices else {})}, vocabulary.wider)
