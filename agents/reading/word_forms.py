"""Words in any of their forms: case, accents, endings, letters that are spelled out, and spellings that sound alike.

Endings are removed by the Snowball stemmer of a language; English words that sound alike share their Metaphone code.
"""

import re
from collections.abc import Callable, Collection
from functools import cache, lru_cache

import jellyfish

from agents.reading.numbers import SMALL
from agents.reading.spelled_numbers import fold
from agents.reading.stems import read_stop_words

STEMMERS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""ISO 639-1 code -> Snowball algorithm."""
NUM_WORDS_KEPT = 16_384
SPELLED_OUT = re.compile(
    r"(?<![\w'’.-])[^\W\d_](?:[-.]\s?[^\W\d_]|\s[^\W\d_](?=[\s.,-]+[^\W\d_]\b|\s*\Z)){2,}(?![\w'’])\.?"
)
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
SHORTEST = 4
"""Letters of a word that may be written as it sounds: many shorter ones sound alike."""
LEAST_ALIKE = 0.75
"""Jaro-Winkler similarity of two spellings that sound alike: "piano" and "pony" do not count."""


def list_word_forms(text: str, language: str | None = None) -> list[str]:
    """List the words of a text in the form that all their forms share; of English, numbers in digits.

    Args:
        text: as an ASR or a person wrote it.
        language: its ISO 639 code; None: English. Without a stemmer only case and accents are removed.

    """
    joined = SPELLED_OUT.sub(lambda letters: re.sub(r"[^\w]", "", letters[0]), text)
    return [stem_word(word, language or "en") for word in WORD.findall(joined)]


@lru_cache(NUM_WORDS_KEPT)
def stem_word(word: str, language: str) -> str:
    """Return the stem of a word, without case and accents."""
    lower = word.lower()
    if language == "en":
        lower = re.sub(r"['’]s\Z", "", lower)
        if lower in SMALL:
            return str(SMALL[lower])
    algorithm = STEMMERS.get(language)
    return fold(_open_stemmer(algorithm)(lower) if algorithm else lower)


@cache
def _open_stemmer(algorithm: str) -> Callable[[str], str]:
    from snowballstemmer import stemmer  # and with it the tables of all languages, 0.1 s of every start

    stem: Callable[[str], str] = stemmer(algorithm).stemWord
    return stem


def respell_alike(words: Collection[str], known: Collection[str]) -> list[str]:
    """Return words, each unknown one respelled as the only known one that sounds like it: Kathryn as Catherine."""
    settled = {*known, *read_stop_words()}
    return [word if word in settled else _find_alike(word, known) or word for word in words]


def _find_alike(word: str, known: Collection[str]) -> str | None:
    alike = {one for one in known if _sound_alike(word, one)}
    return alike.pop() if len(alike) == 1 else None


@lru_cache(NUM_WORDS_KEPT)
def _sound_alike(one: str, other: str) -> bool:
    if min(len(one), len(other)) < SHORTEST or not (one.isascii() and other.isascii() and one.isalpha()):
        return False
    codes = [jellyfish.metaphone(word) for word in (one, other)]
    return codes[0] == codes[1] and jellyfish.jaro_winkler_similarity(one, other) >= LEAST_ALIKE
