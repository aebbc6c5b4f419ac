"""Clips of several instruments: together, in turn, melody over accompaniment, textures, a solo that enters or stops."""

from collections.abc import Sequence

from lalm.distill.facts import OWN, Fact, list_wordings, make_choice, make_number, make_worded_choice, make_yes_no
from lalm.synthesise.draft import ClipDraft, Draw, Floats, make_silence, overlay, scale_to_peak, state_domain_facts
from lalm.synthesise.music.fluidsynth import Note
from lalm.synthesise.music.instruments import GENERAL_MIDI, Instrument, Orchestra
from lalm.synthesise.music.melody import SUSTAINED, name_with_article
from lalm.synthesise.music.rhythm import state_instrument_order
from lalm.synthesise.music.theory import DEGREES, MAJOR, PROGRESSIONS
from services.types import SAMPLE_RATE

LEADS = [*range(8, 16), 22, *range(40, 43), 56, 57, 60, *range(64, 80), 104, 105, 107, 110]
BACKINGS = [0, 4, 6, 16, 19, 21, 24, 25, 26, 46, 48, 52]
TEXTURES = {
    "monophonic": ("Monophonic: one line alone", "A single melody without accompaniment"),
    "homophonic": ("Homophonic: a melody over chords", "A melody with chords below"),
    "polyphonic": ("Polyphonic: two independent melodies", "Two melodies at once"),
}
ENTRANCES = {
    "joins": ("A second instrument joins in", "Another instrument enters"),
    "stops": ("One of the two instruments stops", "One instrument drops out"),
    "both": ("Both instruments play throughout", "The same two instruments play to the end"),
}
BEAT_S = 0.5


def make_turns(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play instruments one after the other."""
    players = orchestra.draw_several(draw, draw.rng.choice((2, 3, 3, 4)))
    parts = []
    for one in players:
        samples = scale_to_peak(one.play(write_line(one, draw, beats=draw.rng.randint(3, 5)), tail_s=0.4), -6)
        parts += [samples, make_silence(draw.rng.uniform(0.1, 0.5))]
    now_s, placed = 0.0, []
    for part in parts:
        placed.append((now_s, part))
        now_s += len(part) / SAMPLE_RATE
    names = [one.name for one in players]
    said = f"{', then '.join(map(name_with_article, names))}, one after the other"
    return _finish(
        players, draw, overlay(placed), [*state_instrument_order(names, draw), *_state_presence(players, draw)], said
    )


def make_together(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play two to four instruments at once."""
    players = orchestra.draw_several(draw, draw.rng.choice((2, 2, 3, 4)))
    parts = [(0.0, scale_to_peak(one.play(write_line(one, draw, beats=14)), -8)) for one in players]
    facts = [make_number("num_instruments", len(players)), *_state_presence(players, draw), _ask_missing(players, draw)]
    said = f"{len(players)} instruments together: {', '.join(map(name_with_article, (one.name for one in players)))}"
    return _finish(players, draw, overlay(parts), facts, said)


def make_roles(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a melody over chords, and ask which instrument plays which."""
    lead, backing = orchestra.draw(draw, LEADS), orchestra.draw(draw, BACKINGS)
    progression = draw.rng.choice(PROGRESSIONS)
    tonic = draw.rng.randint(48, 55)
    chords = [
        Note(tonic + step, 0.1 + 4 * BEAT_S * turn, 3.8 * BEAT_S, 75)
        for turn, degree in enumerate(progression)
        for step in DEGREES[degree]
    ]
    melody = write_line(lead, draw, beats=4 * len(progression))
    samples = overlay([(0.0, scale_to_peak(lead.play(melody), -5)), (0.0, scale_to_peak(backing.play(chords), -13))])
    pool = [one.name for one in GENERAL_MIDI.programs[:80] if not one.also_true & lead.midi.also_true]
    others = [name for name in draw.rng.sample(pool, 4) if name.lower() not in backing.midi.also_true]
    facts = [
        Fact(
            "melody_instrument",
            (lead.name,),
            wrong=list_wordings((backing.name, *others)),
            also_true=lead.midi.also_true,
        ),
        Fact(
            "backing_instrument",
            (backing.name,),
            wrong=list_wordings((lead.name, *others)),
            also_true=backing.midi.also_true,
        ),
        make_number("num_instruments", 2),
        make_worded_choice("texture", "homophonic", TEXTURES),
    ]
    if lead.midi.also_true & backing.midi.also_true:
        facts = facts[3:]
    said = f"{name_with_article(lead.name)} plays a melody over chords of {name_with_article(backing.name)}"
    return _finish([lead, backing], draw, samples, facts, said)


def make_texture(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play one line alone, or two independent ones."""
    texture = draw.rng.choice(("monophonic", "polyphonic"))
    players = orchestra.draw_several(draw, 1 if texture == "monophonic" else 2, LEADS)
    parts = [(0.0, scale_to_peak(one.play(write_line(one, draw, beats=12)), -7)) for one in players]
    facts = [make_worded_choice("texture", texture, TEXTURES), make_number("num_instruments", len(players))]
    said = f"{TEXTURES[texture][0].lower()}, {' and '.join(map(name_with_article, (one.name for one in players)))}"
    return _finish(players, draw, overlay(parts), [*facts, *_state_presence(players, draw)], said)


def make_entrance(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Let a second instrument enter in the middle, stop in the middle, or play throughout."""
    players = orchestra.draw_several(draw, 2, SUSTAINED)
    course = draw.rng.choice(list(ENTRANCES))
    first = [Note(note.pitch, note.start_s, note.duration_s) for note in write_line(players[0], draw, beats=16)]
    second = write_line(players[-1], draw, beats=16)
    middle_s = 8 * BEAT_S
    kept = {
        "joins": [note for note in second if note.start_s >= middle_s],
        "stops": [note for note in second if note.start_s < middle_s],
        "both": second,
    }[course]
    parts = [(0.0, scale_to_peak(players[0].play(first), -7)), (0.0, scale_to_peak(players[-1].play(kept), -7))]
    facts = [make_worded_choice("entrance", course, ENTRANCES)]
    if course != "both":
        wrong = list_wordings((players[0].name,))
        kind = "entering_instrument" if course == "joins" else "stopping_instrument"
        facts.append(Fact(kind, (players[-1].name,), wrong=wrong, also_true=players[-1].midi.also_true))
    both = " and ".join(name_with_article(one.name) for one in (players[0], players[-1]))
    return _finish(players, draw, overlay(parts), facts, f"{both}; {ENTRANCES[course][0].lower()}")


def write_line(one: Instrument, draw: Draw, *, beats: int) -> list[Note]:
    """Write a line of notes of a major scale that moves by small steps, in the range of an instrument."""
    steps = [12 * octave + step for octave in range(2) for step in MAJOR]
    tonic = draw.rng.randint(one.midi.low, max(one.midi.low, one.midi.high - steps[-1]))
    degree, now, notes = draw.rng.randrange(4, 9), 0.0, []
    while now < beats:
        length = min(draw.rng.choice((0.5, 1.0, 1.0, 2.0)), beats - now)
        pitch = min(tonic + steps[degree], one.midi.high)
        notes.append(Note(pitch, 0.1 + now * BEAT_S, 0.92 * length * BEAT_S, draw.rng.randint(80, 105)))
        degree = min(max(degree + draw.rng.choice((-2, -1, -1, 1, 1, 2)), 0), len(steps) - 1)
        now += length
    return notes


def _list_absent(players: Sequence[Instrument]) -> list[str]:
    """List the instruments that cannot be taken for one of the players."""
    heard = frozenset[str]().union(*(one.midi.also_true for one in players))
    return [one.name for one in GENERAL_MIDI.programs[:80] if not one.also_true & heard]


def _state_presence(players: Sequence[Instrument], draw: Draw) -> list[Fact]:
    absent = _list_absent(players)
    is_true = draw.decide(0.5)
    about = draw.rng.choice(players).name if is_true else draw.rng.choice(absent)
    return [make_yes_no("presence", is_true=is_true, about=name_with_article(about))]


def _ask_missing(players: Sequence[Instrument], draw: Draw) -> Fact:
    """Ask which instrument is not heard; the players are the distractors."""
    right, wrong = draw.rng.choice(_list_absent(players)), list_wordings(one.name for one in players)
    return Fact("missing_instrument", (right,), wrong=wrong, pool=OWN, is_open=False)


def _finish(players: Sequence[Instrument], draw: Draw, samples: Floats, facts: Sequence[Fact], said: str) -> ClipDraft:
    played = make_choice("vocals", "Instrumental", ("Instrumental", "Sung"))
    sung = any(one.midi.family == "voice" or "voice" in one.name.lower() for one in players)
    return ClipDraft(
        scale_to_peak(samples, draw.rng.uniform(-12, -1)),
        "music",
        f"Music: {said}.",
        (*state_domain_facts("music", speech=False, music=True), *facts, *([] if sung else [played])),
        tuple(one.source for one in players),
        labels=tuple(one.name for one in players),
    )
