"""Question-answer facts from metadata: a kind of question, the answer in several wordings, and distractors."""

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from services.number_words import UNITS

Wordings: TypeAlias = tuple[str, ...]
"""One answer in several wordings; all answers of a kind list theirs in the same order."""

VOCABULARY: dict[str, dict[str, str | list[str]]] = json.loads(
    (Path(__file__).parent / "vocabulary.json").read_text(encoding="utf-8")
)
MAX_WORDED = 12  # larger numbers are given in digits only
DOMAINS: Mapping[str, Wordings] = {
    "speech": ("Speech",),
    "music": ("Music",),
    "sound": ("A sound of the surroundings",),
}
THEN = ", then "  # between things that follow one another
YES, NO = ("Yes",), ("No",)
NUM_NEIGHBOURS = 3  # maximum distance of a wrong number from the right one


class Fact(NamedTuple):
    """One question that can be asked about a clip, with its answer."""

    kind: str
    """Key of `lalm/distill/questions.json`."""
    answer: Wordings
    wrong: tuple[Wordings, ...] = ()
    """Distractors made for this clip; answers of other clips are added."""
    also_true: frozenset[str] = frozenset()
    """Answers in lower case that are also right, and therefore not used as distractors."""
    about: str = ""
    """Value of `{about}` in the question."""
    pool: str = ""
    """Name of the pool of distractors; empty: answers of the same kind; `OWN`: only `wrong`."""
    is_open: bool = True
    """Whether it can be an open question."""
    is_choice: bool = True
    """Whether it can be a multiple-choice question."""


OWN = "-"


def make_yes_no(kind: str, *, is_true: bool, about: str = "") -> Fact:
    """Make a yes-no fact."""
    answer, other = (YES, NO) if is_true else (NO, YES)
    return Fact(kind, answer, wrong=(other,), about=about, pool=OWN)


def make_number(kind: str, value: int, *, lowest: int = 1) -> Fact:
    """Make a fact whose answer is a number; distractors are close to it."""
    near = range(max(lowest, value - NUM_NEIGHBOURS), value + NUM_NEIGHBOURS + 1)
    return Fact(kind, word_number(value), wrong=tuple(word_number(n) for n in near if n != value))


def make_choice(kind: str, right: str, known: Iterable[str], *, about: str = "") -> Fact:
    """Make a fact whose answer is one of a closed set of texts, the others being its distractors."""
    return Fact(kind, (right,), wrong=list_wordings(other for other in known if other != right), about=about, pool=OWN)


def make_worded_choice(kind: str, right: str, known: Mapping[str, Wordings], *, about: str = "") -> Fact:
    """Make a fact whose answer is one of a closed set of answers, given by key, each in several wordings."""
    others = tuple(wordings for key, wordings in known.items() if key != right)
    return Fact(kind, known[right], wrong=others, about=about, pool=OWN)


def word_number(value: int) -> Wordings:
    """Word a number as a word and as digits; only as digits above twelve."""
    return (UNITS[value].capitalize() if value <= MAX_WORDED else str(value), str(value))


def word_tempo(bpm: int) -> Wordings:
    """Word a tempo in beats per minute."""
    return (f"{bpm} BPM", f"About {bpm} beats per minute")


def list_wordings(texts: Iterable[str]) -> tuple[Wordings, ...]:
    """List answers that have one wording each."""
    return tuple((text,) for text in texts)


def join_in_order(names: Sequence[str]) -> str:
    """Join names of things that follow one another into one text, such as "Rain, then a dog barking"."""
    return THEN.join([names[0], *map(uncapitalise, names[1:])])


def add_article(name: str) -> str:
    """Put the indefinite article before a name."""
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def capitalise(text: str) -> Wordings:
    """Capitalise a label of the metadata, as an answer."""
    return (capitalise_first(text.strip()),)


def capitalise_first(text: str) -> str:
    """Make the first letter of a text upper case."""
    return text[:1].upper() + text[1:]


def uncapitalise(text: str) -> str:
    """Make the first letter of a label lower case, for use inside a sentence."""
    return text[:1].lower() + text[1:]


def look_up(table: str, key: str) -> str:
    """Look up a label in a table of the vocabulary; empty if it is not there."""
    found = VOCABULARY[table].get(key.strip().lower(), "")
    assert isinstance(found, str)
    return found


def look_up_wordings(table: str, key: str) -> Wordings:
    """Look up the wordings of a value in a table of the vocabulary; empty if it is not there."""
    return tuple(VOCABULARY[table].get(key, ()))


def permute(parts: Sequence[str], rng: random.Random, *, join: str, num_wrong: int = 6) -> tuple[Wordings, ...]:
    """Return up to `num_wrong` other orders of the parts, each joined into one text."""
    orders = {tuple(rng.sample(parts, len(parts))) for _ in range(4 * num_wrong)} - {tuple(parts)}
    return tuple((join.join(order),) for order in sorted(orders)[:num_wrong])
