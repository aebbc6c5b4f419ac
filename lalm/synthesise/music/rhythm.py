"""Clips of rhythm: metre, tempo and its changes, drums by name, strokes to count."""

from collections.abc import Sequence

from lalm.distill.facts import (
    OWN,
    Fact,
    list_wordings,
    make_choice,
    make_number,
    make_worded_choice,
    make_yes_no,
    word_tempo,
)
from lalm.distill.music_facts import FASTEST_MODERATE, MIN_TEMPO_DIFFERENCE, SLOWEST_MODERATE, TEMPO_WORDS
from lalm.synthesise.draft import ClipDraft, Draw, Floats, scale_to_peak, state_domain_facts
from lalm.synthesise.music.fluidsynth import Note
from lalm.synthesise.music.instruments import GENERAL_MIDI, Instrument, Orchestra

KICK, SNARE, HAT, CRASH, RIDE = 36, 38, 42, 49, 51
METERS = {"3/4": 3, "4/4": 4, "5/4": 5, "6/8": 6, "7/8": 7}
TEMPO_CHANGES = {
    "faster": ("It gets faster", "An accelerando"),
    "slower": ("It gets slower", "A ritardando"),
    "steady": ("It stays the same", "A steady tempo"),
}
FEELS = {"straight": ("Straight", "Even eighth notes"), "swing": ("Swung", "Swing: long, then short")}


def make_meter(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a drum pattern in a metre at a tempo."""
    kit = orchestra.draw_kit(draw)
    meter, bpm = draw.rng.choice(list(METERS)), draw.rng.randrange(60, 184, 2)
    beats = METERS[meter]
    beat_s = 60 / bpm
    num_bars = max(2, round(draw.rng.uniform(6, 9) / (beats * beat_s)))
    notes = [
        Note(drum, 0.1 + (bar * beats + beat) * beat_s, 0.2, velocity)
        for bar in range(num_bars)
        for beat in range(beats)
        for drum, velocity in _strike(meter, beat)
    ]
    facts = [
        make_choice("meter", meter, list(METERS)),
        make_number("beats_per_bar", beats, lowest=2),
        *state_tempo(bpm),
    ]
    return finish_drums(kit, draw, kit.play(notes), facts, f"a drum kit plays a pattern in {meter} at {bpm} BPM")


def _strike(meter: str, beat: int) -> list[tuple[int, int]]:
    """Return the drums, with their velocities, of a beat: the bass drum marks the bar, the snare what lies between."""
    backbeats = {"3/4": (1, 2), "4/4": (1, 3), "5/4": (3,), "6/8": (3,), "7/8": (3, 5)}[meter]
    struck = [(HAT, 90 if beat == 0 else 70)]
    if beat == 0:
        struck.append((KICK, 120))
    if beat in backbeats:
        struck.append((SNARE, 100))
    return struck


def state_tempo(bpm: int) -> list[Fact]:
    """Make the facts about a tempo: its BPM, and slow or fast where that is unambiguous."""
    near = range(round(bpm * (1 - MIN_TEMPO_DIFFERENCE)), round(bpm * (1 + MIN_TEMPO_DIFFERENCE)) + 1)
    alike = frozenset(words.lower() for other in near for words in word_tempo(other))
    others = tuple(word_tempo(round(bpm * factor)) for factor in (0.5, 0.65, 0.8, 1.25, 1.5, 2.0))
    facts = [Fact("tempo", word_tempo(bpm), wrong=others, also_true=alike, pool=OWN)]
    margin = 10
    if bpm < SLOWEST_MODERATE - margin or bpm > FASTEST_MODERATE + margin:
        facts.append(make_worded_choice("tempo_word", "slow" if bpm < SLOWEST_MODERATE else "fast", TEMPO_WORDS))
    return facts


def make_tempo_change(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play beats that get faster, slower or neither, on one drum."""
    kit = orchestra.draw_kit(draw)
    change, drum = draw.rng.choice(list(TEMPO_CHANGES)), draw.rng.choice((KICK, SNARE, 56, 76, 45))
    growth = {"faster": 0.9, "slower": 1.11, "steady": 1.0}[change]
    step_s = {"faster": 0.8, "slower": 0.3, "steady": 0.5}[change] * draw.rng.uniform(0.85, 1.1)
    starts, now_s = [], 0.1
    for _ in range(draw.rng.randint(11, 15)):
        starts.append(now_s)
        now_s += step_s
        step_s *= growth
    samples = kit.play([Note(drum, start_s, 0.15, 100) for start_s in starts])
    facts = [make_worded_choice("tempo_change", change, TEMPO_CHANGES), *_state_drum(drum, draw)]
    said = f"{GENERAL_MIDI.drums[drum].name.lower()} beats; the tempo: {TEMPO_CHANGES[change][0].lower()}"
    return finish_drums(kit, draw, samples, facts, said)


def make_feel(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a ride pattern, straight or swung."""
    kit = orchestra.draw_kit(draw)
    feel, bpm = draw.rng.choice(list(FEELS)), draw.rng.randrange(90, 150, 2)
    beat_s = 60 / bpm
    late = 0.5 if feel == "straight" else 2 / 3
    notes = []
    for beat in range(round(7 / beat_s)):
        start_s = 0.1 + beat * beat_s
        notes += [Note(RIDE, start_s, 0.2, 100), Note(RIDE, start_s + late * beat_s, 0.1, 75)]
        notes.append(Note(KICK if beat % 2 == 0 else SNARE, start_s, 0.2, 90))
    facts = [make_worded_choice("rhythm_feel", feel, FEELS), *state_tempo(bpm)]
    said = f"a drum kit plays a {'swung' if feel == 'swing' else 'straight'} rhythm at {bpm} BPM"
    return finish_drums(kit, draw, kit.play(notes), facts, said)


def make_strokes(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Strike one percussion instrument several times."""
    kit = orchestra.draw_kit(draw)
    drum, count = draw.rng.choice(list(GENERAL_MIDI.drums)), draw.rng.randint(1, 9)
    space_regularly, step_s = draw.decide(0.6), draw.rng.uniform(0.35, 0.8)
    starts, now_s = [], 0.1
    for _ in range(count):
        starts.append(now_s)
        now_s += step_s if space_regularly else draw.rng.uniform(0.25, 1.2)
    samples = kit.play([Note(drum, start_s, 0.2, draw.rng.randint(80, 115)) for start_s in starts])
    facts = [make_number("count", count), *_state_drum(drum, draw)]
    name = GENERAL_MIDI.drums[drum].name.lower()
    return finish_drums(kit, draw, samples, facts, f"{count} stroke{'s' * (count > 1)} on percussion: {name}")


def make_drum_order(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Strike different percussion instruments one after the other."""
    kit = orchestra.draw_kit(draw)
    drums: list[int] = []
    for drum in draw.shuffle(list(GENERAL_MIDI.drums)):
        taken = frozenset[str]().union(*(GENERAL_MIDI.drums[other].also_true for other in drums))
        if len(drums) < 3 and not taken & GENERAL_MIDI.drums[drum].also_true:
            drums.append(drum)
    notes, now_s = [], 0.1
    for drum in drums:
        strokes = draw.rng.randint(2, 4)
        notes += [Note(drum, now_s + 0.3 * turn, 0.2, 105) for turn in range(strokes)]
        now_s += 0.3 * strokes + 0.7
    names = [GENERAL_MIDI.drums[drum].name for drum in drums]
    facts = state_instrument_order(names, draw)
    said = f"percussion, one after the other: {', then '.join(name.lower() for name in names)}"
    return finish_drums(kit, draw, kit.play(notes), facts, said)


def state_instrument_order(names: Sequence[str], draw: Draw) -> list[Fact]:
    """Make the facts about the order of instruments."""
    right = ", then ".join([names[0], *(name.lower() for name in names[1:])])
    orders = {tuple(draw.shuffle(names)) for _ in range(12)} - {tuple(names)}
    wrong = tuple((", then ".join([one[0], *(name.lower() for name in one[1:])]),) for one in sorted(orders))
    return [
        make_choice("first_instrument", names[0], names),
        make_choice("last_instrument", names[-1], names),
        Fact("instrument_order", (right,), wrong=wrong, pool=OWN),
        make_number("num_instruments_in_turn", len(names), lowest=2),
    ]


def _state_drum(drum: int, draw: Draw) -> list[Fact]:
    named = GENERAL_MIDI.drums[drum]
    known = [other.name for other in GENERAL_MIDI.drums.values() if not other.also_true & named.also_true]
    wrong = list_wordings(draw.rng.sample(known, 5))
    is_true = draw.decide(0.5)
    about = (named.name if is_true else draw.rng.choice(known)).lower()
    return [
        Fact("percussion", (named.name,), wrong=wrong, also_true=named.also_true),
        make_yes_no("presence", is_true=is_true, about=about if about in {"claves", "maracas"} else f"a {about}"),
    ]


def finish_drums(kit: Instrument, draw: Draw, samples: Floats, facts: Sequence[Fact], said: str) -> ClipDraft:
    """Make the clip of a drum kit."""
    return ClipDraft(
        scale_to_peak(samples, draw.rng.uniform(-15, -1)),
        "music",
        f"Music: {said}.",
        (*state_domain_facts("music", speech=False, music=True), *facts),
        (kit.source,),
    )
