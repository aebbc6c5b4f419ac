"""Announcements, stories and dialogues from scripts with slots, and questions about their contents."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from pydantic import TypeAdapter

from lalm.distill.facts import OWN, Fact, capitalise, capitalise_first, make_choice, make_number
from lalm.synthesise.draft import ClipDraft, Draw
from lalm.synthesise.speech.finishing import finish_speech, join
from lalm.synthesise.speech.numbers import word_integer, word_ordinal, word_time
from lalm.synthesise.speech.voices import Delivery, SyntheticVoice, VoiceBank, speak
from services.types import Value

LISTS: Mapping[str, list[str]] = json.loads(Path(__file__).with_name("lists.json").read_text(encoding="utf-8"))
SLOT = re.compile(r"\{([a-z]+?)(\d?)\}")
TURNS = ("left", "right")
NUM_WRONG = 5


AskedSlot: TypeAlias = tuple[str, str] | tuple[str, str, tuple[str, ...]]


class Script(Value):
    """A spoken situation; a slot `{name}` in a text is drawn from the list `name`, and `{name2}` is another one."""

    setting: str
    topic: str
    kind: str
    roles: tuple[str, ...]
    turns: tuple[tuple[int, str], ...]
    """Index of the role, and what it says."""
    asks: tuple[AskedSlot, ...]
    """Question, answer, and wrong answers where the answer is not one slot."""


SCRIPTS = TypeAdapter(tuple[Script, ...]).validate_json(Path(__file__).with_suffix(".json").read_bytes())


def make_script(bank: VoiceBank, draw: Draw) -> ClipDraft:
    """Let one voice or several speak a script."""
    script = draw.rng.choice(SCRIPTS)
    slots = Slots(draw)
    turns = [(role, capitalise_first(slots.fill(text))) for role, text in script.turns]
    voices: list[SyntheticVoice] = []
    for _ in script.roles:
        voices.append(bank.draw(draw, unlike=voices))
    how = [Delivery(draw.rng.uniform(0.85, 1.15), draw.rng.randint(40, 60)) for _ in voices]
    samples = join([speak(voices[role], text, how[role]) for role, text in turns], draw)
    facts = [ask_about(one, slots) for one in draw.rng.sample(script.asks, min(3, len(script.asks)))]
    facts += _state_situation(script, draw)
    words = " ".join(text for _, text in turns)
    order = [voices[role] for role, _ in turns]
    return finish_speech(
        order, draw, samples, facts, words=words, said=f"{script.kind.lower()}, {script.topic.lower()}"
    )


class Slots:
    """Values of the slots of one script."""

    def __init__(self, draw: Draw) -> None:
        self._draw = draw
        self._values: dict[str, str] = {}

    def fill(self, text: str) -> str:
        """Replace the slots of a text."""
        return SLOT.sub(lambda found: self.find_value(found[1], found[2]), text)

    def find_value(self, name: str, number: str = "") -> str:
        """Return the value of a slot; the same slot always has the same."""
        key = f"{name}{number}"
        if key not in self._values:
            taken = {value for other, value in self._values.items() if other.rstrip("0123456789") == name}
            self._values[key] = next(one for one in self.list_alternatives(name) if one not in taken)
        return self._values[key]

    def list_alternatives(self, name: str) -> list[str]:
        """Return values that a slot of this name may have, in a random order."""
        rng = self._draw.rng
        if name == "number":
            return [word_integer(one) for one in rng.sample(range(11, 95), 12)]
        if name == "digit":
            return [word_integer(one) for one in rng.sample(range(2, 10), 8)]
        if name == "ordinal":
            return [word_ordinal(one) for one in rng.sample(range(2, 6), 4)]
        if name == "time":
            return [word_time(rng.randint(1, 12), rng.choice((0, 5, 10, 15, 20, 30, 40, 45))) for _ in range(24)]
        return rng.sample(TURNS, 2) if name == "turn" else rng.sample(LISTS[name], len(LISTS[name]))


def ask_about(asked: AskedSlot, slots: Slots) -> Fact:
    """Make the fact that a question about the contents of a script asks for."""
    question, answer = slots.fill(asked[0]), asked[1]
    right = slots.fill(answer)
    if len(asked) > 2:
        wrong = [slots.fill(one) for one in asked[2]]
    else:
        (name, number), *_ = SLOT.findall(answer)
        others = [one for one in dict.fromkeys(slots.list_alternatives(name)) if one != slots.find_value(name, number)]
        wrong = [SLOT.sub(other, answer) for other in others[:NUM_WRONG]]
    return Fact("content", capitalise(right), wrong=tuple(map(capitalise, wrong)), about=question, pool=OWN)


def _state_situation(script: Script, draw: Draw) -> list[Fact]:
    facts = [
        make_choice("speech_topic", script.topic, sorted({one.topic for one in SCRIPTS})),
        make_choice("speech_setting", script.setting, sorted({one.setting for one in SCRIPTS})),
        make_choice("speech_genre", script.kind, sorted({one.kind for one in SCRIPTS})),
    ]
    roles = [capitalise_first(role) for role in sorted({role for one in SCRIPTS for role in one.roles})]
    who = draw.rng.randrange(len(script.roles))
    if len(script.roles) == 1:
        facts.append(make_choice("speaker_role", capitalise_first(script.roles[0]), roles))
        return facts
    place = next(turn for turn, (role, _) in enumerate(script.turns) if role == who)
    if place < 2:
        kind = "first_role" if place == 0 else "second_role"
        facts.append(make_choice(kind, capitalise_first(script.roles[who]), roles))
    return [*facts, make_number("num_turns", len(script.turns), lowest=2)]
