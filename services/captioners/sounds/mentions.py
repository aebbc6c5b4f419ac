"""Entity mention: the sound that a sentence names, among those that the tagger knows; loads no model."""

import re
from functools import cache

from services.captioners.naming import UNSAID, NameMatcher
from services.captioners.sounds.vocabulary import read_vocabulary

LONGEST = 3  # words of a mention
LEAST_LIKENESS = 0.6  # of a mention and a name: less is a word that they happen to share
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def find_mention(sentence: str, *, with_voices: bool = False) -> str | None:
    """Find the run of words that names a sound; None where none does, or where two name different sounds.

    Args:
        sentence: in English.
        with_voices: whether who speaks is a sound too, such as "a man talking".
    """
    words, matcher = WORD.findall(sentence), _open_matcher(with_voices)
    spans = [
        (start, start + size)
        for size in range(1, LONGEST + 1)
        for start in range(len(words) - size + 1)
        if not UNSAID & {words[start].lower(), words[start + size - 1].lower()}
    ]
    weighed = {span: matcher.measure_likeness(" ".join(words[slice(*span)])) for span in spans}
    named = {span: " ".join(words[slice(*span)]) for span in spans if weighed[span] >= LEAST_LIKENESS}
    best = max(named, key=lambda span: (weighed[span], span[1] - span[0]), default=None)
    if best is None:
        return None
    meant = matcher.match(named[best])
    others = (run for span, run in named.items() if span[1] <= best[0] or best[1] <= span[0])
    return named[best] if all(meant & matcher.match(run) for run in others) else None


@cache
def _open_matcher(with_voices: bool) -> NameMatcher:
    """Return what matches words to sounds, by what we and AudioSet call them."""
    vocabulary = read_vocabulary()
    return NameMatcher({**vocabulary.plain, **(vocabulary.voices if with_voices else {})}, vocabulary.wider)
