"""Facts about sound events from metadata: which sounds, from what source, in which order."""

import random

from lalm.distill.facts import (
    OWN,
    THEN,
    VOCABULARY,
    Fact,
    Wordings,
    add_article,
    capitalise,
    capitalise_first,
    join_in_order,
    look_up,
    look_up_wordings,
    make_number,
    make_yes_no,
    permute,
    uncapitalise,
)
from lalm.distill.metadata import Metadata

POOL = "sound"  # distractors for any question about a sound are other sounds
ELSEWHERE = ("rain falling", "a dog barking", "a helicopter", "sea waves", "a clock ticking", "a chainsaw", "a violin")


def read_sound_facts(row: Metadata, rng: random.Random) -> list[Fact]:
    """Read the facts about sound events; none for a clip without labelled ones."""
    if len(row.order) > 1:
        return _state_order(row.order, rng) + _state_presence(row.order, rng)
    if row.background:
        return [Fact("background", capitalise(row.background), pool=POOL), *_state_presence((row.background,), rng)]
    if row.task == "sound" and len(row.labels) == 1:
        return _state_single(row, rng) + _state_presence(row.labels, rng)
    return []


def _state_single(row: Metadata, rng: random.Random) -> list[Fact]:
    (name,) = row.labels
    facts = [Fact("sound", capitalise(name), also_true=_find_alike(name), pool=POOL)]
    if family := look_up("sound_family", name):
        facts.append(Fact("sound_family", look_up_wordings("family_words", family)))
    if animal := look_up("animal", name):
        facts.append(Fact("animal", _word_animal(animal)))
    if row.reason and (wordings := look_up_wordings("cry_reason", row.reason)):
        facts.append(Fact("cry_reason", wordings, wrong=_find_other_reasons(row.reason, rng)))
    if row.age:
        facts.append(Fact("cry_age", capitalise(row.age)))
    return facts


def _find_alike(name: str) -> frozenset[str]:
    """Return all labels of the same animal."""
    animal = look_up("animal", name)
    return frozenset(other for other, kind in VOCABULARY["animal"].items() if animal and kind == animal)


def _word_animal(name: str) -> Wordings:
    return (capitalise_first(add_article(name)), name.capitalize())


def _find_other_reasons(reason: str, rng: random.Random) -> tuple[Wordings, ...]:
    others = [one for one in ("hungry", "discomfort", "burping", "belly_pain", "tired") if one != reason]
    return tuple(look_up_wordings("cry_reason", one) for one in rng.sample(others, len(others)))


def _state_order(order: tuple[str, ...], rng: random.Random) -> list[Fact]:
    """Return facts about the order of sounds; other sounds of the clip are the distractors."""

    def make(kind: str, place: int, about: int | None = None) -> Fact:
        """Make a fact about the sound in one place of the order, with the others as wrong answers."""
        here = tuple(capitalise(name) for number, name in enumerate(order) if number not in {place, about})
        asked = uncapitalise(order[about]) if about is not None else ""
        return Fact(kind, capitalise(order[place]), wrong=here, about=asked, pool=POOL)

    last = len(order) - 1
    after, before = rng.randrange(last), rng.randrange(1, last + 1)
    facts = [
        make("first_sound", 0),
        make("last_sound", last),
        make("sound_after", after + 1, about=after),
        make("sound_before", before - 1, about=before),
        Fact("sound_order", (join_in_order(order),), wrong=_draw_other_orders(order, rng), pool=OWN),
        make_number("num_sounds", len(order)),
    ]
    return [*facts, make("second_sound", 1)] if last > 1 else facts


def _draw_other_orders(order: tuple[str, ...], rng: random.Random) -> tuple[Wordings, ...]:
    """Return wrong sequences: the same sounds in other orders, then with one of them replaced."""
    moved = permute([uncapitalise(name) for name in order], rng, join=THEN)
    exchanged = []
    for other in rng.sample(ELSEWHERE, len(ELSEWHERE)):
        place = rng.randrange(len(order))
        if other not in map(uncapitalise, order):
            exchanged.append((THEN.join(uncapitalise(n) if i != place else other for i, n in enumerate(order)),))
    return tuple(capitalise(one[0]) for one in (*moved, *exchanged))


def _state_presence(heard: tuple[str, ...], rng: random.Random) -> list[Fact]:
    """Return a yes-no fact about a sound that is present or, equally often, absent."""
    is_true = rng.random() < 0.5
    absent = [name for name in ELSEWHERE if name not in map(uncapitalise, heard)]
    about = rng.choice(heard) if is_true else rng.choice(absent)
    return [make_yes_no("presence", is_true=is_true, about=uncapitalise(about))]
