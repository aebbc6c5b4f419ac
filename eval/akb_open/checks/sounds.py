"""Answer verification for phonetics: rhyme, stress and minimal pairs, by the pronunciations that stand in each row."""

import re
from collections.abc import Callable, Mapping

from eval.akb_open.row import Derivation

NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
PLACES = {"The first": 0, "The second": 1, "The third": 2, "The fourth": 3}


def _read_sounds(derivation: Derivation, word: str) -> str:
    return derivation.get_table("sounds")[word]


def _read_asked(derivation: Derivation) -> str:
    return _read_sounds(derivation, derivation.get_text("word"))


def _drop_stress(sounds: str) -> str:
    return re.sub(r"\d", "", sounds)


def _find_tail(sounds: str) -> str:
    """Return what rhymes: the vowel of the main stress and all after it."""
    match = re.search(r"[A-Z]+1.*", sounds)
    assert match is not None, sounds
    return _drop_stress(match[0])


def _find_stresses(sounds: str) -> str:
    """Return the stress of each syllable, such as `010`."""
    return re.sub(r"\D", "", sounds)


def _is_one_apart(one: str, other: str) -> bool:
    """Tell whether one sound less, more or other makes one word the other: without it, the same is left."""
    first, second = sorted((_drop_stress(one).split(), _drop_stress(other).split()), key=len)
    if len(first) == len(second):
        return sum(map(str.__ne__, first, second)) == 1
    return first in (second[:place] + second[place + 1 :] for place in range(len(second)))


def _find_edge(derivation: Derivation, sounds: str) -> str:
    """Return the consonant at an edge; the vowel of `bird` counts as the R that is heard in it."""
    return _drop_stress(sounds).replace("ER", "R").split()[0 if derivation.get_text("place") == "begins" else -1]


def _find_vowel(sounds: str) -> str:
    (vowel,) = re.findall(r"([A-Z]+)\d", sounds)
    return str(vowel)


Claim = Callable[[Derivation, str], bool]
HOLDS: Mapping[str, Claim] = {
    "rhyme": lambda d, choice: _find_tail(_read_sounds(d, choice)) == _find_tail(_read_asked(d)),
    "stressed_syllable": lambda d, choice: _find_stresses(_read_asked(d)).index("1") == PLACES[choice],
    "same_stress": lambda d, choice: (
        _find_stresses(_read_sounds(d, choice)).index("1") == _find_stresses(_read_asked(d)).index("1")
    ),
    "syllable_count": lambda d, choice: len(_find_stresses(_read_asked(d))) == NUMBERS.index(choice),
    "phoneme_count": lambda d, choice: _read_asked(d).count(" ") + 1 == NUMBERS.index(choice),
    "homophone": lambda d, choice: _read_sounds(d, choice) == _read_asked(d),
    "minimal_pair": lambda d, choice: _is_one_apart(_read_sounds(d, choice), _read_asked(d)),
    "same_edge": lambda d, choice: _find_edge(d, _read_sounds(d, choice)) == _find_edge(d, _read_asked(d)),
    "same_vowel": lambda d, choice: _find_vowel(_read_sounds(d, choice)) == _find_vowel(_read_asked(d)),
}


def find_right_choices(derivation: Derivation, choices: tuple[str, ...]) -> list[str]:
    """Return the options that are right by the row's pronunciations."""
    return [choice for choice in choices if HOLDS[derivation.name](derivation, choice)]
