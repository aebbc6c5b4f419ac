"""Clips of a scene: sounds that together identify a place."""

from pathlib import Path

from pydantic import TypeAdapter

from lalm.distill.facts import OWN, Fact, list_wordings, make_choice, make_number, uncapitalise
from lalm.synthesise.draft import ClipDraft, Draw, overlay, scale_to_peak
from lalm.synthesise.sounds.events import EventShelf
from lalm.synthesise.sounds.mixtures import finish_sounds
from services.types import SAMPLE_RATE, Value

LENGTH_S = 8.0
NUM_WRONG = 5


class Scene(Value):
    """A place, and the sounds that identify it."""

    place: str
    sounds: tuple[str, ...]
    clue: str


SCENES = TypeAdapter(tuple[Scene, ...]).validate_json(Path(__file__).with_suffix(".json").read_bytes())


def make_scene(shelf: EventShelf, draw: Draw) -> ClipDraft:
    """Play the sounds of a place, overlapping in time."""
    scene = draw.rng.choice(SCENES)
    events = [shelf.draw_named(draw, name, LENGTH_S) for name in draw.shuffle(scene.sounds)[:3]]
    placed = []
    for number, event in enumerate(events):
        part = event.cut(draw, LENGTH_S - 2 * number)
        room_s = max(0.0, LENGTH_S - len(part) / SAMPLE_RATE)
        placed.append((draw.rng.uniform(0, room_s), scale_to_peak(part, draw.rng.uniform(-10, -4))))
    others = [one for one in SCENES if not set(one.sounds) & set(scene.sounds)]
    wrong = draw.rng.sample(others, NUM_WRONG)
    facts = [
        Fact("scene", (scene.place,), wrong=list_wordings(one.place for one in wrong), pool=OWN),
        make_choice("scene_clue", scene.clue, [scene.clue, *(one.clue for one in wrong)]),
        make_number("num_layers", len(events)),
    ]
    names = " and ".join(uncapitalise(event.name) for event in events)
    return finish_sounds(events, draw, overlay(placed), facts, f"{names}; it could be {uncapitalise(scene.place)}")
