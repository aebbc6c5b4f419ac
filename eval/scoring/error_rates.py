"""Word and character error rates, by jiwer, after a normalisation of both texts.

Normalisation: NFKC, without what stands in brackets, small letters, signs as spaces, marks dropped, single spaces: the
basic (language-independent) normaliser of Whisper (Radford et al. 2022, arXiv:2212.04356, appendix C), which
Speech-IFEval's script applies too. Numbers stay as they are written. For the error rate of characters, spaces count as
none, so that Chinese and Japanese need no words.
"""

import re
from typing import NamedTuple
from unicodedata import category, normalize

BRACKETS = re.compile(r"[<\[][^>\]]*[>\]]|\([^)]+\)")
CLOSERS = (">", "]", ")")


class Errors(NamedTuple):
    """Errors of a transcript."""

    num: int
    """Substitutions, deletions and insertions."""
    length: int
    """Words or characters of the reference."""


def normalise_transcript(text: str) -> str:
    """Return a text as error rates compare it: small letters and digits with single spaces."""
    small = text.lower()
    closed = max(map(small.rfind, CLOSERS)) + 1  # no bracket is closed behind it, and none is looked for
    bare = normalize("NFKC", BRACKETS.sub("", small[:closed]) + small[closed:])
    kept = (" " if category(char)[0] in "MSP" else char for char in bare)
    return " ".join("".join(kept).split())


def count_word_errors(reference: str, reply: str) -> Errors:
    """Return the errors in words; a reference without words has as many errors as the reply has words."""
    import jiwer

    expected, said = normalise_transcript(reference), normalise_transcript(reply)
    if not expected:
        return Errors(len(said.split()), 0)
    found = jiwer.process_words(expected, said)
    return Errors(found.substitutions + found.deletions + found.insertions, len(expected.split()))


def count_character_errors(reference: str, reply: str) -> Errors:
    """Return the errors in characters, spaces apart."""
    import jiwer

    expected, said = ("".join(normalise_transcript(text).split()) for text in (reference, reply))
    if not expected:
        return Errors(len(said), 0)
    found = jiwer.process_characters(expected, said)
    return Errors(found.substitutions + found.deletions + found.insertions, len(expected))
