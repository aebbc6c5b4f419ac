"""Clips of sound events: one, several in order, repeated, layered, fading, moving."""

from collections.abc import Sequence

import numpy as np

from lalm.distill.facts import (
    OWN,
    THEN,
    Fact,
    Wordings,
    join_in_order,
    list_wordings,
    make_choice,
    make_number,
    make_worded_choice,
    make_yes_no,
    uncapitalise,
)
from lalm.synthesise.draft import ClipDraft, Draw, Floats, make_silence, overlay, scale_to_peak, state_domain_facts
from lalm.synthesise.sounds.effects import change_speed, move_past, reverberate
from lalm.synthesise.sounds.events import FAMILIES, EventShelf, SoundEvent
from lalm.synthesise.sounds.waves import filter_band
from services.types import SAMPLE_RATE

COURSES = {
    "in": ("It gets louder", "It fades in"),
    "out": ("It gets softer", "It fades out"),
    "steady": ("It stays at one level", "The loudness does not change"),
    "swell": ("It gets louder and then softer", "It swells and fades"),
}
MOVES = {
    "approaching": ("It comes nearer", "The source approaches"),
    "leaving": ("It moves away", "The source goes away"),
    "passing": ("It passes by", "The source comes near and goes away again"),
}
DISTANCES = {"near": ("Close to the microphone", "Near"), "far": ("Far away", "In the distance")}
RHYTHMS = {
    "regular": ("At regular intervals", "Regularly"),
    "faster": ("Faster and faster", "At shorter and shorter intervals"),
    "slower": ("More and more slowly", "At longer and longer intervals"),
}
ODD_WAYS = ("louder", "higher", "lower")


def make_single(shelf: EventShelf, draw: Draw) -> ClipDraft:
    """Play one sound, at some level and speed."""
    event = shelf.draw(draw, draw.rng.uniform(3, 8))
    samples = event.cut(draw, draw.rng.uniform(2.5, 8))
    if draw.decide(0.3):
        samples = change_speed(samples, draw.rng.uniform(0.93, 1.08))
    facts = [*state_names(event, shelf, draw), make_yes_no("speech_present", is_true=False)]
    if draw.decide(0.25):
        where = draw.rng.choice(list(DISTANCES))
        if where == "far":
            samples = scale_to_peak(reverberate(draw, filter_band(samples, None, 2500), seconds=1.5), -24)
        facts.append(make_worded_choice("distance", where, DISTANCES))
    return finish_sounds([event], draw, samples, facts, uncapitalise(event.name))


def make_sequence(shelf: EventShelf, draw: Draw) -> ClipDraft:
    """Play different sounds one after the other."""
    events: list[SoundEvent] = []
    for _ in range(draw.rng.choice((2, 3, 3, 4))):
        events.append(shelf.draw(draw, 3.0, unlike=events))
    placed: list[tuple[float, Floats]] = []
    now_s = draw.rng.uniform(0, 0.4)
    for event in events:
        part = event.cut(draw, draw.rng.uniform(1.0, 3.0))
        placed.append((now_s, scale_to_peak(part, draw.rng.uniform(-9, -3))))
        now_s += len(part) / SAMPLE_RATE + draw.rng.uniform(0.1, 0.8)
    names = [event.name for event in events]
    facts = [*state_sequence(names, draw), *_state_times(names, placed, draw), _ask_missing(events, shelf, draw)]
    lengths = [len(part) for _, part in placed]
    longest = int(np.argmax(lengths))
    if sorted(lengths)[-1] > 1.3 * sorted(lengths)[-2]:
        facts.append(make_choice("longest_sound", names[longest], names))
    said = f"one after the other: {THEN.join(map(uncapitalise, names))}"
    return finish_sounds(events, draw, overlay(placed), facts, said)


def state_sequence(names: Sequence[str], draw: Draw) -> list[Fact]:
    """Make the facts about the order of sounds."""

    def make_place_fact(kind: str, place: int, about: str = "") -> Fact:
        wrong = list_wordings(name for name in names if name not in {names[place], about})
        return Fact(kind, (names[place],), wrong=wrong, about=uncapitalise(about), pool="sound")

    middle = draw.rng.randrange(len(names) - 1)
    others = {tuple(draw.shuffle(names)) for _ in range(12)} - {tuple(names)}
    wrong = list_wordings(map(join_in_order, sorted(others)))
    return [
        make_place_fact("first_sound", 0),
        make_place_fact("last_sound", len(names) - 1),
        make_place_fact("sound_after", middle + 1, names[middle]),
        make_place_fact("sound_before", middle, names[middle + 1]),
        Fact("sound_order", (join_in_order(names),), wrong=wrong[:6], pool=OWN),
        make_number("num_sounds", len(names)),
    ]


def _state_times(names: Sequence[str], placed: Sequence[tuple[float, Floats]], draw: Draw) -> list[Fact]:
    """Make the facts about when sounds begin and how long they last, in whole seconds where that is plain."""
    place = draw.rng.randrange(len(names))
    start_s, part = placed[place]
    end_s = start_s + len(part) / SAMPLE_RATE
    total_s = max(start + len(samples) / SAMPLE_RATE for start, samples in placed)
    facts = []
    about = uncapitalise(names[place])
    if place:
        wrong = tuple(
            _word_start(one) for one in (start_s + 1.5, start_s + 3, abs(start_s - 1.5), 0.0) if abs(one - start_s) > 1
        )
        facts.append(Fact("start_time", _word_start(start_s), wrong=wrong, about=about, pool=OWN))
    middle_s = (start_s + end_s) / 2 / total_s
    third = "beginning" if middle_s < 0.3 else "end" if middle_s > 0.7 else "middle" if 0.4 < middle_s < 0.6 else ""
    if third:
        known = {one: (f"In the {one}", f"At the {one}") for one in ("beginning", "middle", "end")}
        facts.append(make_worded_choice("sound_place", third, known, about=about))
    return facts


def _word_start(seconds: float) -> Wordings:
    return (f"After about {seconds:.1f} seconds", f"At {seconds:.1f} s")


def make_repeated(shelf: EventShelf, draw: Draw) -> ClipDraft:
    """Repeat a short sound, and ask for its number, its rhythm and the one that differs."""
    event = shelf.draw(draw, 1.2)
    part = scale_to_peak(event.cut(draw, draw.rng.uniform(0.3, 0.7)), -6)
    count, rhythm = draw.rng.randint(2, 7), draw.rng.choice(list(RHYTHMS))
    growth = {"regular": 1.0, "faster": 0.72, "slower": 1.4}[rhythm]
    gap_s = {"regular": 0.5, "faster": 1.3, "slower": 0.2}[rhythm]
    odd = draw.rng.randrange(count) if count >= 3 and rhythm == "regular" and draw.decide(0.5) else None
    way = draw.rng.choice(ODD_WAYS)
    pieces: list[Floats] = []
    for turn in range(count):
        pieces += [_differ(part, way) if turn == odd else part, make_silence(gap_s)]
        gap_s *= growth
    facts = [make_number("num_events", count)._replace(about=uncapitalise(event.name))]
    if count >= 4:
        facts.append(make_worded_choice("event_rhythm", rhythm, RHYTHMS))
    if odd is not None:
        places = ("The first", "The second", "The third", "The fourth", "The fifth", "The sixth", "The seventh")
        facts.append(make_choice("odd_one", places[odd], places[:count]))
        facts.append(make_choice("odd_how", f"It is {way}", [f"It is {one}" for one in ODD_WAYS]))
    facts += state_names(event, shelf, draw)[:1]
    said = f"{uncapitalise(event.name)}, heard {count} times, {RHYTHMS[rhythm][0].lower()}"
    return finish_sounds([event], draw, np.concatenate(pieces), facts, said)


def _differ(part: Floats, way: str) -> Floats:
    if way == "louder":
        return part * np.float32(2.0)
    return change_speed(part, 1.5 if way == "higher" else 0.67)


def make_layers(shelf: EventShelf, draw: Draw) -> ClipDraft:
    """Play two or three sounds at once, one louder than the others."""
    events: list[SoundEvent] = []
    for _ in range(draw.rng.choice((2, 2, 3))):
        events.append(shelf.draw(draw, 6.0, unlike=events))
    levels_db = [-3.0, *(draw.rng.uniform(-16, -11) for _ in events[1:])]
    placed = []
    for event, level_db in zip(events, levels_db, strict=True):
        part = scale_to_peak(event.cut(draw, 6.0), level_db)
        placed.append((0.0 if len(part) > 4 * SAMPLE_RATE else draw.rng.uniform(0, 2), part))
    front, *behind = [event.name for event in events]
    wrong = list_wordings(behind)
    facts = [
        make_number("num_layers", len(events)),
        Fact("louder_sound", (front,), wrong=wrong, also_true=events[0].also_true, pool="sound"),
        make_choice("overlap", "At the same time", ("At the same time", "One after the other")),
        _ask_missing(events, shelf, draw),
        *_state_presence(events, shelf, draw),
    ]
    if len(events) == 2:
        facts.append(Fact("background", (behind[0],), wrong=((front,),), also_true=events[1].also_true, pool="sound"))
    said = f"{uncapitalise(front)} in front of {' and '.join(map(uncapitalise, behind))}"
    return finish_sounds(events, draw, overlay(placed), facts, said)


def make_course(shelf: EventShelf, draw: Draw) -> ClipDraft:
    """Let one sound get louder or softer."""
    event = shelf.draw(draw, 6.0)
    samples = scale_to_peak(event.cut(draw, 6.0), -3)
    course = draw.rng.choice(list(COURSES))
    place = np.linspace(0, 1, len(samples), dtype=np.float32)
    level_db = {"in": 36 * place - 36, "out": -36 * place, "steady": 0 * place, "swell": -72 * np.abs(place - 0.5)}[
        course
    ]
    changed = np.asarray(samples * 10 ** (level_db / 20), np.float32)
    facts = [make_worded_choice("level_course", course, COURSES), *state_names(event, shelf, draw)[:2]]
    said = f"{uncapitalise(event.name)}; {COURSES[course][0].lower()}"
    return finish_sounds([event], draw, changed, facts, said)


def make_move(shelf: EventShelf, draw: Draw) -> ClipDraft:
    """Let one steady sound approach, move away or pass by."""
    event = shelf.draw(draw, 7.0)
    samples = event.cut(draw, 7.0)
    if len(samples) < 4 * SAMPLE_RATE:
        samples = np.tile(samples, 1 + 5 * SAMPLE_RATE // len(samples))[: 6 * SAMPLE_RATE]
    course = draw.rng.choice(list(MOVES))
    facts = [make_worded_choice("movement", course, MOVES), *state_names(event, shelf, draw)[:2]]
    said = f"{uncapitalise(event.name)}; {MOVES[course][0].lower()}"
    return finish_sounds([event], draw, move_past(draw, samples, course), facts, said)


def state_names(event: SoundEvent, shelf: EventShelf, draw: Draw) -> list[Fact]:
    """Make the facts that a sound alone gives: its name, family, meaning, the teacher's classes, presence."""
    facts = [Fact("sound", (event.name,), also_true=event.also_true, pool="sound")]
    if event.family:
        facts.append(make_choice("sound_source", event.family, FAMILIES))
    if event.means:
        facts.append(Fact("sound_means", (event.means,)))
    if event.tags.right:
        alike = event.also_true.union(map(str.lower, event.tags.akin))
        facts.append(Fact("sound_tag", event.tags.right[:1], also_true=alike))
    return [*facts, *_state_presence([event], shelf, draw)]


def _state_presence(events: Sequence[SoundEvent], shelf: EventShelf, draw: Draw) -> list[Fact]:
    is_true = draw.decide(0.5)
    absent = _list_absent(events, shelf)
    if not absent and not is_true:
        return []
    about = draw.rng.choice(events).name if is_true else draw.rng.choice(absent)
    return [make_yes_no("presence", is_true=is_true, about=uncapitalise(about))]


def _ask_missing(events: Sequence[SoundEvent], shelf: EventShelf, draw: Draw) -> Fact:
    """Ask which sound is not heard; those that are heard are the distractors."""
    wrong = list_wordings(event.name for event in events)
    right = draw.rng.choice(_list_absent(events, shelf))
    return Fact("missing_sound", (right,), wrong=wrong, pool=OWN, is_open=False)


def _list_absent(events: Sequence[SoundEvent], shelf: EventShelf) -> list[str]:
    heard = frozenset[str]().union(*(event.also_true for event in events))
    return [name for name, also in shelf.list_names().items() if not also & heard]


def finish_sounds(
    events: Sequence[SoundEvent], draw: Draw, samples: Floats, facts: Sequence[Fact], said: str
) -> ClipDraft:
    """Make a clip of sounds."""
    plain = [fact for fact in state_domain_facts("sound", speech=False, music=False) if fact.kind != "speech_present"]
    return ClipDraft(
        scale_to_peak(samples, draw.rng.uniform(-14, -1)),
        "sound",
        f"Sounds: {said}.",
        (*plain, *facts),
        tuple(event.source for event in events if event.source),
        labels=tuple(event.name for event in events),
    )
