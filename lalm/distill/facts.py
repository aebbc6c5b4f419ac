"""Question-answer facts from metadata: a kind of question, the answer in several wordings, and distractors."""

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

Wordings: TypeAlias = tuple[str, ...]
"""One answer in several wordings; all answers of a kind list theirs in the same order."""

VOCABULARY: dict[str, dict[str, str | list[str]]] = json.loads(
    (Path(__file__).parent / "vocabulary.json").read_text(encoding="utf-8")
)
NUMBERS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
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


def list_wordings(*texts: str) -> tuple[Wordings, ...]:
    """List answers that have one wording each."""
    return tuple((text,) for text in texts)


def make_yes_no(kind: str, *, is_true: bool, about: str = "") -> Fact:
    """Make a yes-no fact."""
    answer, other = (YES, NO) if is_true else (NO, YES)
    return Fact(kind, answer, wrong=(other,), about=about, pool=OWN)


def make_choice(kind: str, right: str, known: Sequence[str]) -> Fact:
    """Make a fact whose answer is one of a closed set."""
    return Fact(kind, (right,), wrong=tuple((one,) for one in known if one != right), pool=OWN)


def make_number(kind: str, value: int, *, lowest: int = 1) -> Fact:
    """Make a fact whose answer is a number; distractors are close to it."""
    near = range(max(lowest, value - NUM_NEIGHBOURS), value + NUM_NEIGHBOURS + 1)
    return Fact(kind, word_number(value), wrong=tuple(word_number(n) for n in near if n != value))


def word_number(value: int) -> Wordings:
    """Word a number as a word and as digits; only digits above twelve."""
    return (NUMBERS[value], str(value)) if value < len(NUMBERS) else (str(value), str(value))


def capitalise(text: str) -> Wordings:
    """Capitalise a label of the metadata, as an answer."""
    return (capitalise_first(text.strip()),)


def capitalise_first(text: str) -> str:
    """Make the first letter of a text a capital."""
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
