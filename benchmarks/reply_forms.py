"""Replies in other forms for the fuzz test of replies: tables, JSON, boxes, tags, emoji, options that hold others.

Each maker returns a reply whose right reading is known: an option, or none. The sets of options (`reply_forms.json`)
hold conjunctions, negations and beginnings of one another, numbers, units, notes, and words of other languages.
"""

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel
from quantity_replies import Case


class Forms(BaseModel):
    """What replies are made of."""

    options: tuple[tuple[str, ...], ...]
    marks: tuple[tuple[str, str], ...]
    """Of thinking and of what else is no answer, known and unknown ones."""
    frames: Mapping[str, tuple[str, ...]]
    """By kind; {0} is the meant option, {1} another, and nothing is meant in NONE_MEANT."""


FORMS = Forms.model_validate_json(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
NONE_MEANT = frozenset({"denied", "undecided", "silent", "listed"})
VERDICTS = (("✓", "✗"), ("yes", "no"), ("✅", "❌"), ("correct", "wrong"), ("True", "False"), ("right", "wrong"))
STYLES = ("{0}. {1}", "({0}) {1}", "{0}) {1}", "- {0}: {1}", "* {1}")
ABSENT = {"No dog": "dog", "No speech": "speech", "No animal": "animal"}
BOTH = ("Both {0}", "It is both {0}.", "I hear both {0}.", "There are both {0}.", "There is {0}.", "{0} are heard")
THOUGHTS = ("{0}?", "It may be {0}.", "The answer is {0}.", "{0}", "I think it's {0}.\n{0}", "<answer>{0}</answer>")


class Asked(NamedTuple):
    """A question in the making: the options, the meant one and another."""

    rng: random.Random
    choices: tuple[str, ...]
    right: int
    other: int

    def name(self, place: int) -> str:
        """Return an option as replies name it."""
        text, letter = self.choices[place], letter_of(place)
        forms = (letter, f"({letter})", text, f"{letter}. {text}", f"({letter}) {text}", f"{letter}) {text}")
        return self.rng.choice(forms)

    def fill(self, kind: str) -> str:
        """Return a reply of a kind that is told by its frames."""
        return self.rng.choice(FORMS.frames[kind]).format(self.name(self.right), self.name(self.other))

    def list_options(self, styles: tuple[str, ...]) -> list[str]:
        """Return all options in one style."""
        style = self.rng.choice(styles)
        return [style.format(letter_of(place), text) for place, text in enumerate(self.choices)]


def letter_of(place: int) -> str:
    """Return the letter of an option."""
    return chr(65 + place)


def draw(rng: random.Random) -> Asked:
    """Return a question drawn at random."""
    choices = list(rng.choice(FORMS.options))
    rng.shuffle(choices)
    right, other = rng.sample(range(len(choices)), 2)
    return Asked(rng, tuple(choices), right, other)


def _json(asked: Asked) -> str:
    right, wrong = asked.name(asked.right), asked.name(asked.other)
    letters = [letter_of(place) for place in range(len(asked.choices))]
    chances = {letter: 0.8 if place == asked.right else 0.05 for place, letter in enumerate(letters)}
    told = {"letter": letter_of(asked.right), "text": asked.choices[asked.right]}
    form = asked.rng.choice(
        (
            *(
                {"answer": right},
                {"answer": right, "explanation": f"{wrong} is too loud"},
                {"prediction": right},
                right,
            ),
            *({"reasoning": f"It might be {wrong}.", "answer": right}, {"choice": right, "confidence": 0.9}, [right]),
            *(
                {"answer": told},
                {"answers": [right]},
                {"answer": [right]},
                {"rejected": wrong, "answer": right},
                chances,
            ),
            *({"wrong_answer": wrong, "correct_answer": right}, {"probabilities": chances, "answer": right}),
            *({letter: place == asked.right for place, letter in enumerate(letters)}, {"result": {"answer": right}}),
            *({"selected_option": right, "runner_up": wrong}, {"second_best": wrong, "best": right}, {"label": right}),
            {"Answer": right, "Alternatives": [wrong]},
        )
    )
    text = json.dumps(form, ensure_ascii=asked.rng.random() < 0.5, indent=asked.rng.choice((None, 2)))
    frame = asked.rng.choice(("{}", "```json\n{}\n```", "```\n{}\n```", "{}\n", "json\n{}"))
    return frame.format(text) if asked.rng.random() < 0.9 else text.replace('"', "'")


def _table(asked: Asked) -> str:
    good, bad = asked.rng.choice(VERDICTS)
    names = asked.list_options(("{0}", "{1}", "{0}. {1}", "({0}) {1}", "**{0}**"))
    pairs = [(name, good if place == asked.right else bad) for place, name in enumerate(names)]
    form = asked.rng.randrange(4)
    if form == 0:
        return "| Option | Verdict |\n|---|---|\n" + "\n".join(f"| {name} | {verdict} |" for name, verdict in pairs)
    if form == 1:
        return "\n".join(f"- {name}: {verdict}" for name, verdict in pairs)
    if form == 2:
        return "\n".join(f"{verdict} {name}" for name, verdict in pairs)
    return "; ".join(f"{name} - {verdict}" for name, verdict in pairs)


def _restated(asked: Asked) -> str:
    lines, name = "\n".join(asked.list_options(STYLES)), asked.name(asked.right)
    frames = ("{0}\n\nAnswer: {1}", "Options:\n{0}\n\nThe correct answer is {1}.", "Choices:\n{0}\n**{1}**")
    return asked.rng.choice((*frames, "The answer is {1}.\n\nOptions:\n{0}", "{0}\n=> {1}")).format(lines, name)


def _listed(asked: Asked) -> str:
    return asked.rng.choice(("\n", ", ", " / ", "; ", " | ")).join(asked.list_options((*STYLES, "{1}", "{0}")))


def _shares(asked: Asked) -> str:
    style = asked.rng.choice(("{0}: {2}%", "{1}: {2}%", "{0}) {1} ({2}%)", "{0} {2} %", "P({0}) = 0.{2}"))
    shares = [
        style.format(letter_of(place), text, 80 if place == asked.right else 10)
        for place, text in enumerate(asked.choices)
    ]
    return asked.rng.choice((", ", "\n", "; ")).join(shares)


def _letters(asked: Asked) -> str:
    letter, small = letter_of(asked.right), letter_of(asked.right).lower()
    drawn = tuple(chr(first + asked.right) for first in (0x1F170, 0x24B6, 0x1F130, 0xFF21, 0x249C))
    plain = (small, f"{small})", f"option {small}", f"Option_{letter}", f"choice_{small}", f"[{letter}]", f"<{letter}>")
    return asked.rng.choice((*drawn, *plain, f"{{{letter}}}", f"“{letter}”", f"{letter}!!!", f" \t{letter}\r\n"))


def _joined(asked: Asked) -> Case | None:
    """Name a joined option in other words: "Both rain and thunder" for "Rain and thunder"."""
    text = asked.choices[asked.right]
    if " and " not in text:
        return None
    return Case("joined", asked.choices, asked.rng.choice(BOTH).format(text[0].lower() + text[1:]), asked.right)


def _absent(asked: Asked) -> Case | None:
    """Say that something is absent, which is an option."""
    if (absent := ABSENT.get(asked.choices[asked.right])) is None:
        return None
    frames = ("There is no {0}.", "No {0} is heard.", "I hear no {0}.", "no {0} at all", "The answer is no {0}.")
    return Case("absent", asked.choices, asked.rng.choice(frames).format(absent), asked.right)


def _thought(asked: Asked) -> Case:
    opens, closes = asked.rng.choice(FORMS.marks)
    thought = asked.rng.choice(THOUGHTS).format(asked.name(asked.other))
    if asked.rng.random() < 0.3:
        return Case("mark unfinished", asked.choices, f"{opens}{thought}", None)
    space = asked.rng.choice(("", " ", "\n", "\n\n"))
    return Case("mark", asked.choices, f"{opens}{thought}{closes}{space}{asked.name(asked.right)}", asked.right)


BUILT: Mapping[str, Callable[[Asked], str]] = {
    "json": _json,
    "table": _table,
    "restated": _restated,
    "shares": _shares,
    "letters": _letters,
    "listed": _listed,
}
SPECIAL: tuple[Callable[[Asked], Case | None], ...] = (_joined, _absent, _thought)
KINDS = (*FORMS.frames, *BUILT)


def make_form(rng: random.Random) -> Case:
    """Return a reply in a form drawn at random."""
    while True:
        asked = draw(rng)
        place = rng.randrange(len(KINDS) + len(SPECIAL))
        if place < len(KINDS):
            kind = KINDS[place]
            reply = BUILT[kind](asked) if kind in BUILT else asked.fill(kind)
            return Case(kind, asked.choices, reply, None if kind in NONE_MEANT else asked.right)
        if case := SPECIAL[place - len(KINDS)](asked):
            return case
