"""Clips of chords: kinds of chord, cadences, progressions, major and minor."""

from collections.abc import Sequence

from lalm.distill.facts import make_choice, make_number, make_worded_choice
from lalm.distill.music_facts import KEY_MODES
from lalm.synthesise.draft import ClipDraft, Draw
from lalm.synthesise.music.fluidsynth import Note
from lalm.synthesise.music.instruments import Orchestra
from lalm.synthesise.music.melody import PLAYED, finish_clip
from lalm.synthesise.music.theory import (
    CADENCES,
    CHORDS,
    DEGREES,
    MINOR_DEGREES,
    MINOR_PROGRESSIONS,
    NOTE_NAMES,
    PROGRESSIONS,
    SEVENTHS,
)

CHORDAL = [0, 1, 2, 3, 4, 5, 6, 16, 17, 19, 20, 21, 24, 25, 26, 27, 46, 48, 49, 50, 52, 61, 88, 89, 90]
STYLES = {
    "block": ("All notes at once", "As a block chord"),
    "broken": ("One note after the other", "As a broken chord (arpeggio)"),
}


def make_chord(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play one chord, at once or broken."""
    one = orchestra.draw(draw, CHORDAL)
    name, style = draw.rng.choice(list(CHORDS)), draw.rng.choice(list(STYLES))
    steps = CHORDS[name]
    root = draw.rng.randint(max(one.midi.low, 45), max(46, min(one.midi.high - 12, 66)))
    step_s = 0.0 if style == "block" else draw.rng.uniform(0.2, 0.45)
    notes = [Note(root + step, 0.1 + turn * step_s, 2.0) for turn, step in enumerate(steps)]
    alike = frozenset({"dominant seventh"}) if name == "Major seventh" else frozenset()
    facts = [
        make_choice("chord", name, CHORDS)._replace(also_true=alike),
        make_worded_choice("chord_style", style, STYLES),
        make_number("chord_notes", len(steps), lowest=2),
        make_choice("chord_kind", "A seventh chord" if name in SEVENTHS else "A triad", ("A triad", "A seventh chord")),
    ]
    if style == "block":
        facts.append(make_choice("music_played", PLAYED[3], PLAYED))
    said = f"plays a {name.lower()} chord, {STYLES[style][0].lower()}"
    return finish_clip(one, draw, one.play(notes), facts, said)


def make_cadence(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a progression that ends in a cadence."""
    one = orchestra.draw(draw, CHORDAL)
    name = draw.rng.choice(list(CADENCES))
    tonic = draw.rng.randint(48, 59)
    samples = one.play(_play_chords([DEGREES[degree] for degree in CADENCES[name]], tonic, draw))
    facts = [
        make_choice("cadence", name, CADENCES),
        make_number("num_chords", len(CADENCES[name]), lowest=2),
    ]
    return finish_clip(one, draw, samples, facts, f"plays four chords that end in a {name.lower()}")


def make_progression(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a progression of triads in a major or minor key."""
    one = orchestra.draw(draw, CHORDAL)
    mode = draw.rng.choice(list(KEY_MODES))
    known, degrees = (PROGRESSIONS, DEGREES) if mode == "major" else (MINOR_PROGRESSIONS, MINOR_DEGREES)
    progression = draw.rng.choice(known)
    tonic = draw.rng.randint(48, 59)
    samples = one.play(_play_chords([degrees[degree] for degree in progression], tonic, draw))
    texts = [" - ".join(other) for other in known]
    key = f"{NOTE_NAMES[tonic % 12]} {mode}"
    facts = [
        make_choice("progression", " - ".join(progression), texts),
        make_worded_choice("key_mode", mode, KEY_MODES),
        make_choice("key", key, [f"{note} {mode}" for note in NOTE_NAMES]),
        make_number("num_chords", len(progression), lowest=2),
    ]
    said = f"plays the chord progression {' - '.join(progression)} in {key}"
    return finish_clip(one, draw, samples, facts, said)


def _play_chords(chords: Sequence[Sequence[int]], tonic: int, draw: Draw) -> list[Note]:
    """Write chords with their roots doubled an octave below."""
    step_s, is_broken = draw.rng.uniform(0.7, 1.3), draw.decide(0.3)
    notes = []
    for turn, chord in enumerate(chords):
        start_s = 0.1 + turn * step_s
        late_s = step_s / 4 if is_broken else 0.0
        notes.append(Note(tonic + chord[0] - 12, start_s, 0.95 * step_s))
        notes += [
            Note(tonic + step, start_s + place * late_s, 0.95 * step_s - place * late_s, 80)
            for place, step in enumerate(chord)
        ]
    return notes
