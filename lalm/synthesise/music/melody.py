"""Clips of one instrument: notes, intervals, scales, melodies, phrases and dynamics."""

from collections.abc import Sequence

import numpy as np

from lalm.distill.facts import (
    OWN,
    Fact,
    add_article,
    capitalise_first,
    list_wordings,
    make_choice,
    make_number,
    make_worded_choice,
    make_yes_no,
    uncapitalise,
)
from lalm.synthesise.draft import ClipDraft, Draw, Floats, scale_to_peak, state_domain_facts
from lalm.synthesise.music.fluidsynth import Note
from lalm.synthesise.music.instruments import ANY, GENERAL_MIDI, Instrument, Orchestra
from lalm.synthesise.music.theory import INTERVALS, MAJOR, MINOR, SCALES

SUSTAINED = [*range(16, 24), *range(40, 45), *range(48, 54), *range(56, 80)]  # programs that hold a note
DIRECTIONS = {
    "higher": ("Higher", "It is higher"),
    "lower": ("Lower", "It is lower"),
    "same": ("The same", "It is the same pitch"),
}
SCALE_DIRECTIONS = {
    "up": ("Upwards", "Ascending"),
    "down": ("Downwards", "Descending"),
    "both": ("Up and then down", "Ascending, then descending"),
}
CONTOURS = {
    "rising": ("It rises", "Rising"),
    "falling": ("It falls", "Falling"),
    "arch": ("It rises and then falls", "An arch: up, then down"),
    "valley": ("It falls and then rises", "A valley: down, then up"),
    "level": ("It stays on one pitch", "One repeated pitch"),
}
REPEATS = {
    "same": ("It is repeated exactly", "The same phrase again"),
    "higher": ("It is repeated higher", "The same phrase, transposed up"),
    "lower": ("It is repeated lower", "The same phrase, transposed down"),
    "reversed": ("It is played backwards", "The phrase in reverse"),
    "other": ("Another melody follows", "A different phrase"),
}
DYNAMICS = {
    "crescendo": ("It gets louder", "A crescendo"),
    "diminuendo": ("It gets softer", "A diminuendo"),
    "steady": ("It stays at one loudness", "No change of loudness"),
    "sudden": ("It suddenly gets louder", "A sudden change from soft to loud"),
}
ARTICULATIONS = {
    "staccato": ("Short and detached (staccato)", "Staccato"),
    "legato": ("Smooth and connected (legato)", "Legato"),
}
REGISTERS = {"low": ("Low", "In a low register"), "high": ("High", "In a high register")}
PLAYED = ("A single note", "Separate notes of a melody", "A scale", "A chord", "Two notes in turn")


def make_note(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play one note, or the same note several times."""
    one = orchestra.draw(draw, ANY)
    pitch, count = draw.rng.randint(one.midi.low, one.midi.high), draw.rng.choice((1, 1, 2, 3, 4, 5, 6))
    step_s = draw.rng.uniform(0.45, 1.1)
    held_s = draw.rng.uniform(1.0, 3.0) if count == 1 else 0.8 * step_s
    notes = [Note(pitch, 0.1 + turn * step_s, held_s, draw.rng.randint(70, 115)) for turn in range(count)]
    facts = [make_number("num_notes", count)]
    if count == 1:
        facts.append(make_choice("music_played", PLAYED[0], PLAYED))
    what = "a single note" if count == 1 else f"the same note {count} times"
    return finish_clip(one, draw, one.play(notes), facts, f"plays {what}")


def make_interval(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play two notes one after the other, or at once."""
    one = orchestra.draw(draw)
    size, at_once = draw.rng.choice(list(INTERVALS)), draw.decide(0.3)
    low = draw.rng.randint(one.midi.low, max(one.midi.low, one.midi.high - size))
    pair = (low, low + size) if draw.decide(0.5) else (low + size, low)
    step_s = 0.0 if at_once else draw.rng.uniform(0.6, 1.0)
    notes = [Note(pitch, 0.1 + turn * step_s, 0.9 * (step_s or 1.5)) for turn, pitch in enumerate(pair)]
    others = tuple(words for width, words in INTERVALS.items() if 1 < abs(width - size) <= 7)
    facts = [Fact("interval", INTERVALS[size], wrong=others, pool=OWN)]
    if not at_once:
        way = "same" if size == 0 else "higher" if pair[1] > pair[0] else "lower"
        facts += [
            make_worded_choice("pitch_direction", way, DIRECTIONS),
            make_choice("music_played", PLAYED[4], PLAYED),
        ]
    how = "at once" if at_once else "one after the other"
    name = INTERVALS[size][0].lower()
    return finish_clip(one, draw, one.play(notes), facts, f"plays two notes {how}; the interval is: {name}")


def make_scale(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a scale up, down or both ways."""
    one = orchestra.draw(draw)
    name = draw.rng.choice(list(SCALES))
    steps, way = SCALES[name], draw.rng.choice(list(SCALE_DIRECTIONS))
    tonic = draw.rng.randint(one.midi.low, max(one.midi.low, one.midi.high - 12))
    order = {"up": steps, "down": steps[::-1], "both": steps + steps[-2::-1]}[way]
    step_s = draw.rng.uniform(0.22, 0.5)
    facts = [
        make_choice("scale", name, SCALES),
        make_worded_choice("scale_direction", way, SCALE_DIRECTIONS),
        make_choice("music_played", PLAYED[2], PLAYED),
        make_number("num_notes", len(order)),
    ]
    samples = one.play(_write_in_turn([tonic + step for step in order], step_s))
    said = f"plays a {name.lower()}, {SCALE_DIRECTIONS[way][1].lower()}"
    return finish_clip(one, draw, samples, facts, said)


def make_melody(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a melody with a contour, in major or minor."""
    one = orchestra.draw(draw)
    shape = draw.rng.choice(list(CONTOURS))
    mode = draw.rng.choice(("major", "minor"))
    count = draw.rng.randint(4, 9)
    pitches = _shape_melody(one, draw, shape, count, MAJOR if mode == "major" else MINOR)
    step_s = draw.rng.uniform(0.3, 0.7)
    facts = [make_worded_choice("melody_contour", shape, CONTOURS), make_number("num_notes", count)]
    if shape != "level":
        facts.append(make_choice("music_played", PLAYED[1], PLAYED))
    said = f"plays a melody of {count} notes: {CONTOURS[shape][1].lower()}"
    return finish_clip(one, draw, one.play(_write_in_turn(pitches, step_s)), facts, said)


def _shape_melody(one: Instrument, draw: Draw, shape: str, count: int, scale: Sequence[int]) -> list[int]:
    """Draw pitches of a scale that rise, fall or turn in the middle."""
    steps = [12 * octave + step for octave in range(3) for step in scale]
    middle = count // 2
    degrees = {
        "rising": list(range(count)),
        "falling": list(range(count))[::-1],
        "arch": [min(turn, count - 1 - turn) for turn in range(count)],
        "valley": [middle - min(turn, count - 1 - turn) for turn in range(count)],
        "level": [0] * count,
    }[shape]
    widest = steps[max(degrees)]
    tonic = draw.rng.randint(one.midi.low, max(one.midi.low, one.midi.high - widest))
    return [tonic + steps[degree] for degree in degrees]


def make_phrases(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a phrase, then a second one that is the same, moved, reversed or another."""
    one = orchestra.draw(draw)
    how = draw.rng.choice(list(REPEATS))
    scale = draw.rng.choice((MAJOR, MINOR))
    room = max(1, one.midi.high - one.midi.low - 19)
    tonic = one.midi.low + 5 + draw.rng.randrange(room)
    first = [tonic + draw.rng.choice(scale) for _ in range(draw.rng.randint(4, 6))]
    if len(set(first)) < 3 or first == first[::-1]:
        first = [tonic, tonic + scale[2], tonic + scale[4], tonic + scale[1]]
    shift = draw.rng.choice((3, 4, 5))
    second = {
        "same": first,
        "higher": [pitch + shift for pitch in first],
        "lower": [pitch - shift for pitch in first],
        "reversed": first[::-1],
        "other": [pitch + draw.rng.choice((-4, -2, 3, 5)) for pitch in first[::-1]][: max(3, len(first) - 1)],
    }[how]
    step_s = draw.rng.uniform(0.25, 0.45)
    gap_s = 0.6
    rest_s = len(first) * step_s + gap_s
    notes = [*_write_in_turn(first, step_s), *_write_in_turn(second, step_s, start_s=0.1 + rest_s)]
    facts = [make_worded_choice("phrase_repeat", how, REPEATS)]
    said = f"plays a phrase, then after a pause a second one: {REPEATS[how][0].lower()}"
    return finish_clip(one, draw, one.play(notes), facts, said)


def make_dynamics(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play repeated notes with a course of loudness, an articulation and a register."""
    one = orchestra.draw(draw)
    course, manner = draw.rng.choice(list(DYNAMICS)), draw.rng.choice(list(ARTICULATIONS))
    place = draw.rng.choice(list(REGISTERS))
    third = max(1, (one.midi.high - one.midi.low) // 3)
    lowest = one.midi.low if place == "low" else one.midi.high - third
    count, step_s = draw.rng.randint(8, 12), draw.rng.uniform(0.3, 0.5)
    held = 0.25 if manner == "staccato" else 1.02
    notes = [Note(lowest + draw.rng.randrange(third), 0.1 + turn * step_s, held * step_s, 100) for turn in range(count)]
    samples = one.play(notes)
    facts = [make_worded_choice("dynamics", course, DYNAMICS)]
    if one.program in SUSTAINED:
        facts.append(make_worded_choice("articulation", manner, ARTICULATIONS))
    if one.midi.high - one.midi.low >= 30:
        facts.append(make_worded_choice("register", place, REGISTERS))
    said = f"plays notes; {DYNAMICS[course][0].lower().replace('it ', 'the music ')}"
    return finish_clip(one, draw, _swell(samples, course), facts, said)


def _swell(samples: Floats, course: str) -> Floats:
    """Give music a course of loudness by a gain, because soundfonts respond to velocity very differently."""
    place = np.linspace(0, 1, len(samples), dtype=np.float32)
    level_db = {
        "crescendo": 24 * place - 24,
        "diminuendo": -24 * place,
        "steady": np.zeros_like(place),
        "sudden": np.where(place < 0.5, -18.0, 0.0),
    }[course]
    return np.asarray(samples * 10 ** (level_db / 20), np.float32)


def make_sound(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play one of the sound effects of a General MIDI soundfont."""
    one = orchestra.draw(draw, range(120, 128))
    named = GENERAL_MIDI.sounds[one.program - 120]
    samples = one.play([Note(60, 0.1, draw.rng.uniform(1.5, 4.0), 100)], tail_s=0.5)
    fact = Fact("sound", (named.name,), also_true=named.also_true, pool="sound")
    return ClipDraft(
        scale_to_peak(samples, draw.rng.uniform(-12, -1)),
        "sound",
        f"Sound: {uncapitalise(named.name)}.",
        (*state_domain_facts("sound", speech=False, music=False), fact),
        (one.source,),
        labels=(named.name,),
    )


def state_names(one: Instrument, draw: Draw) -> list[Fact]:
    """Make the facts that the instrument alone gives: name, family, presence, region of origin."""
    also = one.midi.also_true
    known = [other.name for other in GENERAL_MIDI.programs if not other.also_true & also]
    near = [other.name for other in GENERAL_MIDI.programs if other.family == one.midi.family and other.name in known]
    wrong = {*draw.rng.sample(known, 4), *draw.rng.sample(near, min(2, len(near)))}
    is_true = draw.decide(0.5)
    families = sorted({other.family for other in GENERAL_MIDI.programs})
    facts = [
        Fact("instrument", (one.name,), wrong=list_wordings(sorted(wrong)), also_true=also),
        make_choice("instrument_family", capitalise_first(one.midi.family), tuple(map(capitalise_first, families))),
        make_yes_no(
            "presence", is_true=is_true, about=name_with_article(one.name if is_true else draw.rng.choice(known))
        ),
    ]
    if home := GENERAL_MIDI.origins.get(one.name):
        homes = sorted(set(GENERAL_MIDI.origins.values()))
        facts.append(make_choice("instrument_origin", home, homes))
    return facts


def finish_clip(one: Instrument, draw: Draw, samples: Floats, facts: Sequence[Fact], said: str) -> ClipDraft:
    """Make the clip of one instrument."""
    return ClipDraft(
        scale_to_peak(samples, draw.rng.uniform(-15, -1)),
        "music",
        f"Music: {name_with_article(one.name)} {said}.",
        (*state_domain_facts("music", speech=False, music=True), *state_names(one, draw), *facts),
        (one.source,),
        labels=(one.name,),
    )


def name_with_article(name: str) -> str:
    """Put the indefinite article before the name of an instrument, unless it is a plural or a mass noun."""
    name = uncapitalise(name)
    is_plural = name.endswith(("strings", "drums", "bells", "bagpipes", "timpani", "harmonics", "choir"))
    return name if is_plural else add_article(name)


def _write_in_turn(pitches: Sequence[int], step_s: float, *, start_s: float = 0.1) -> list[Note]:
    return [Note(pitch, start_s + turn * step_s, 0.95 * step_s) for turn, pitch in enumerate(pitches)]
