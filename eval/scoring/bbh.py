"""VoiceBench's official reading of replies to four tasks of BIG-Bench Hard: yes or no, and which of two sentences.

Behaviour as BBHEvaluator of src/evaluator/bbh.py (MatthewCYM/VoiceBench @ 5338154). What it gets wrong: a reply "b" is
read as (A), "the sentence … is not plausible" as yes, "… must be lying" as yes to "does … tell the truth?", any reply
that begins with "no", such as "Nobody", as no, and where nothing is found it guesses, without a seed: here such a reply
is wrong.
"""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

from services.types import Value

Place: TypeAlias = Literal["is", "has", "begins", "ends", "matches"]
VALUES: Mapping[str, int] = {"yes": 1, "no": 0, "(a)": 0, "(b)": 1}
"""Reference, in small letters -> what the script reads for it."""
CLOSED: tuple[tuple[str, ...], ...] = (("Yes", "No"), ("(A)", "(B)"))
"""The options of the tasks, none of which are shown."""
ANSWERS_YES_OR_NO = "yes or no"  # what is looked for first where the answer is one of these
TASKS = ("sports_understanding", "hyperbaton", "navigate", "web_of_lies")  # the first that an id names counts
LETTER, LETTERS = "[X]", "ab"
ENDING, TAGS, TURN_END = "<|user|>", ("<1>", "<2>", "<3>"), "<|turn_end|>"
SPACES = str.maketrans(dict.fromkeys(':"-,.：', " "))


class Step(Value):
    """Texts that are looked for in one way, and what they are read as."""

    where: Place
    reads: Literal[0, 1, "letter"]
    texts: tuple[str, ...]


class Tasks(Value):
    """The steps of each task, in the order in which they are tried."""

    tasks: dict[str, tuple[Step, ...]]


class _Sign(NamedTuple):
    """One text that is looked for."""

    where: Place
    text: str
    value: int

    def is_in(self, reply: str) -> bool:
        """Whether the reply has it in its place."""
        match self.where:
            case "is":
                return reply == self.text
            case "has":
                return self.text in reply
            case "begins":
                return reply.startswith(self.text)
            case "ends":
                return reply.endswith(self.text)
            case "matches":
                return re.search(self.text, reply) is not None


def find_task(id: str) -> str | None:
    """Return the task that an id names, as the script finds it; None where it would break off."""
    return next((task for task in TASKS if task in id), None)


def read_bbh(reply: str, task: str) -> int | None:
    """Return what the script reads in a reply to a task: 1 for yes and (B), 0 for no and (A); None: it guesses."""
    said = _normalise(reply)
    return next((sign.value for sign in _list_signs(task) if sign.is_in(said)), None)


@cache
def _list_signs(task: str) -> tuple[_Sign, ...]:
    from services.yaml_file import read_config  # and with it YAML, which other benchmarks do without

    known = read_config(Path(__file__).with_suffix(".yaml"), Tasks).tasks
    first = () if task == "hyperbaton" else known[ANSWERS_YES_OR_NO]
    return tuple(sign for step in (*first, *known[task]) for text in step.texts for sign in _expand(step, text))


def _expand(step: Step, text: str) -> tuple[_Sign, ...]:
    if step.reads == "letter":
        return tuple(_Sign(step.where, text.replace(LETTER, one), value) for value, one in enumerate(LETTERS))
    return (_Sign(step.where, text, step.reads),)


def _normalise(reply: str) -> str:
    """Return a reply in small letters, without the script's marks and signs, with single spaces."""
    said = reply.lower()
    if said.endswith(ENDING):
        said = said.removesuffix(ENDING).strip()
    if said.startswith(TAGS):
        said = said[3:].strip()
    return " ".join(said.replace(TURN_END, "").replace("**", " ").translate(SPACES).split())
