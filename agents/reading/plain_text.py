"""Texts folded for comparing: case, width, quotes, punctuation, articles, accents and endings aside."""

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from agents.reading.spelled_numbers import ACCENTS
from agents.reading.word_forms import list_word_forms

NUM_FORMS_KEPT = 4096  # of options and parts of replies, which every step compares anew
INVISIBLE = re.compile("[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters without a shape: controls, breaks that may be, marks of direction and of byte order."""
DENYING = frozenset("❌✗✘✖❎🚫⛔👎×≠¬☐🤔🤷")
EDGES = " \t\r\n\"'`*_.,;:!?()[]{}<>“”‘’«»。，！？、।،؟"
LINE_OF_ARTICLE = re.compile(r"\W*(?:an?|the)\W*\n", re.I)  # alone, and so none: the letter of an option
EAST_ASIAN = "\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"  # kana, Chinese, Hangul
SCRIPT_CHANGE = re.compile(rf"(?<=[A-Za-z0-9])(?=[{EAST_ASIAN}])|(?<=[{EAST_ASIAN}])(?=[A-Za-z0-9])")
STRAIGHT = str.maketrans("‘’“”♯♭", "''\"\"#b")


@lru_cache(NUM_FORMS_KEPT)
def normalise(text: str) -> str:
    """Return the text folded in case, width and quotes, without the punctuation around it."""
    return " ".join(straighten(text).strip(EDGES).casefold().split())


@lru_cache(NUM_FORMS_KEPT)
def strip_article(text: str) -> str:
    """Return the plain text without the article before it."""
    plain = normalise(text)
    return plain if LINE_OF_ARTICLE.match(text) else re.sub(r"\A(?:an?|the)\s+", "", plain)


@lru_cache(NUM_FORMS_KEPT)
def squeeze(text: str) -> str:
    """Return the plain text without what writers leave out: accents, quotes, hyphens in words, spaces but of digits."""
    plain = ACCENTS.sub("", unicodedata.normalize("NFD", normalise(text)))
    return re.sub(r"(?<=[^\W\d_])-(?=[^\W\d_])|['\"]|(?<!\d)\s+|\s+(?!\d)", "", plain)


@lru_cache(NUM_FORMS_KEPT)
def list_stems(text: str) -> tuple[str, ...]:
    """Return the stems of a text in letters only: "dogs" for "A dog"; empty where it has a digit or a sign."""
    plain = strip_article(text)
    return tuple(list_word_forms(plain)) if re.fullmatch(r"[^\W\d_]{2,}(?:[\s-][^\W\d_]{2,})*", plain) else ()


def straighten(text: str) -> str:
    """Return a text in compatibility form, its quotes straight and its accidentals ASCII."""
    text = re.sub(r"!=|^[^\S\n]*+(?:[-*+][^\S\n]*+)?\[ \]", "≠", text, flags=re.M)  # and a box that is not ticked
    return INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(STRAIGHT)


def drop_emoji(text: str) -> str:
    """Return a text without pictures, such as a tick or a pointing hand; one with a sign that denies stays as it is."""
    if not DENYING.isdisjoint(text):
        return text
    return "".join(" " if unicodedata.category(char) in {"So", "Sk", "Mn"} else char for char in text)


def part_scripts(text: str, options: Iterable[str]) -> str:
    """Return a text with spaces between Latin and East Asian letters, unless an option has the two together."""
    return text if any(map(SCRIPT_CHANGE.search, options)) else SCRIPT_CHANGE.sub(" ", text)


def strip_signs(text: str) -> str:
    """Return a text without the signs around it that say nothing: punctuation, bullets, arrows, ticks, emoji."""
    start, end = 0, len(text)
    while start < end and (text[start] in EDGES or _is_sign(text[start], before=True)):
        start += 1
    while start < end and (text[end - 1] in EDGES or _is_sign(text[end - 1], before=False)):
        end -= 1
    return text[start:end]


def _is_sign(char: str, *, before: bool) -> bool:
    kind = unicodedata.category(char)
    if char in DENYING:
        return False
    return (
        char in "$\\"
        or kind in {"So", "Ps", "Pe", "Mn", "Sk"}
        or (before and kind in {"Pd", "Sm"} and char not in "+~<")
    )
