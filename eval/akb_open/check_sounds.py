"""Checks the phonetic answers of AKB-open on the pronunciations that stand in each row."""

import re
from collections.abc import Callable, Mapping

from eval.akb_open.row import Derivation

NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
PLACES = {"The first": 0, "The second": 1, "The third": 2, "The fourth": 3}


def _sounds(derivation: Derivation, word: str) -> str:
    return derivation.table("sounds")[word]


def _asked(derivation: Derivation) -> str:
    return _sounds(derivation, derivation.text("word"))


def _plain(sounds: str) -> str:
    return re.sub(r"\d", "", sounds)


def _tail(sounds: str) -> str:
    """Return what rhymes: the vowel of the main stress and all after it."""
    match = re.search(r"[A-Z]+1.*", sounds)
    assert match is not None, sounds
    return _plain(match[0])


def _stresses(sounds: str) -> str:
    """Return the stress of each syllable, such as `010`."""
    return re.sub(r"\D", "", sounds)


def _is_one_apart(one: str, other: str) -> bool:
    """Tell whether one sound less, more or other makes one word the other: without it, the same is left."""
    first, second = sorted((_plain(one).split(), _plain(other).split()), key=len)
    if len(first) == len(second):
        return sum(map(str.__ne__, first, second)) == 1
    return first in (second[:place] + second[place + 1 :] for place in range(len(second)))


def _edge(derivation: Derivation, sounds: str) -> str:
    """Return the consonant at an edge; the vowel of `bird` counts as the R that is heard in it."""
    return _plain(sounds).replace("ER", "R").split()[0 if derivation.text("place") == "begins" else -1]


def _vowel(sounds: str) -> str:
    (vowel,) = re.findall(r"([A-Z]+)\d", sounds)
    return str(vowel)


Claim = Callable[[Derivation, str], bool]
HOLDS: Mapping[str, Claim] = {
    "rhyme": lambda d, choice: _tail(_sounds(d, choice)) == _tail(_asked(d)),
    "stressed_syllable": lambda d, choice: _stresses(_asked(d)).index("1") == PLACES[choice],
    "same_stress": lambda d, choice: _stresses(_sounds(d, choice)).index("1") == _stresses(_asked(d)).index("1"),
    "syllable_count": lambda d, choice: len(_stresses(_asked(d))) == NUMBERS.index(choice),
    "phoneme_count": lambda d, choice: _asked(d).count(" ") + 1 == NUMBERS.index(choice),
    "homophone": lambda d, choice: _sounds(d, choice) == _asked(d),
    "minimal_pair": lambda d, choice: _is_one_apart(_sounds(d, choice), _asked(d)),
    "same_edge": lambda d, choice: _edge(d, _sounds(d, choice)) == _edge(d, _asked(d)),
    "same_vowel": lambda d, choice: _vowel(_sounds(d, choice)) == _vowel(_asked(d)),
}


def right_choices(derivation: Derivation, choices: tuple[str, ...]) -> list[str]:
    """Return the options that are right by the row's pronunciations."""
    return [choice for choice in choices if HOLDS[derivation.name](derivation, choice)]
