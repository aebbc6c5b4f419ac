"""What a clip's metadata says, as facts that can be asked for: a kind of question, and the answer in some wordings."""

import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeAlias

from lalm.distill.metadata import Metadata

Wordings: TypeAlias = tuple[str, ...]
"""One answer in several wordings; those of another answer of the kind stand in the same order."""

VOCABULARY: dict[str, dict[str, str | list[str]]] = json.loads(
    (Path(__file__).parent / "vocabulary.json").read_text(encoding="utf-8")
)
NUMBERS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine", "Ten", "Eleven", "Twelve")
YES, NO = ("Yes",), ("No",)
NUM_NEIGHBOURS = 3  # how far a wrong number may lie from the right one


class Fact(NamedTuple):
    """One thing that can be asked about a clip."""

    kind: str
    """Key of `lalm/distill/questions.json`."""
    answer: Wordings
    wrong: tuple[Wordings, ...] = ()
    """Wrong answers that suit this clip above all; those of other clips come beside them."""
    also_true: frozenset[str] = frozenset()
    """Answers, in small letters, that would be right as well and are therefore no wrong options."""
    about: str = ""
    """What `{about}` in the question stands for."""
    pool: str = ""
    """Whose answers may be wrong options; empty: those of the same kind; `OWN`: none but `wrong`."""
    is_open: bool = True
    """Whether it can be asked without options."""
    is_choice: bool = True
    """Whether it can be asked with options."""


FactReader: TypeAlias = Callable[[Metadata, random.Random], list[Fact]]
OWN = "-"


def make_yes_no(kind: str, *, is_true: bool, about: str = "") -> Fact:
    """Return a fact that is answered with yes or no."""
    answer, other = (YES, NO) if is_true else (NO, YES)
    return Fact(kind, answer, wrong=(other,), about=about, pool=OWN)


def make_number(kind: str, value: int, *, lowest: int = 1) -> Fact:
    """Return a fact that is answered with a number; wrong options lie near it."""
    near = range(max(lowest, value - NUM_NEIGHBOURS), value + NUM_NEIGHBOURS + 1)
    return Fact(kind, word_number(value), wrong=tuple(word_number(n) for n in near if n != value))


def word_number(value: int) -> Wordings:
    """Return a number as a word and as digits; as digits alone where words get long."""
    return (NUMBERS[value], str(value)) if value < len(NUMBERS) else (str(value), str(value))


def capitalise(text: str) -> Wordings:
    """Return a label of the metadata as an answer."""
    text = text.strip()
    return (text[:1].upper() + text[1:],)


def uncapitalise(text: str) -> str:
    """Return a label as it stands inside a sentence."""
    return text[:1].lower() + text[1:]


def look_up(table: str, key: str) -> str:
    """Return what the vocabulary files under a label in small letters; empty where it has nothing."""
    found = VOCABULARY[table].get(key.strip().lower(), "")
    assert isinstance(found, str)
    return found


def look_up_wordings(table: str, key: str) -> Wordings:
    """Return the wordings that the vocabulary has for a value."""
    return tuple(VOCABULARY[table][key])


def permute(parts: Sequence[str], rng: random.Random, *, join: str, num_wrong: int = 6) -> tuple[Wordings, ...]:
    """Return other orders of the parts, joined; fewer where there are not as many."""
    orders = {tuple(rng.sample(parts, len(parts))) for _ in range(4 * num_wrong)} - {tuple(parts)}
    return tuple((join.join(order),) for order in sorted(orders)[:num_wrong])
