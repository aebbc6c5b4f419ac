"""Clips of a small band in a style: drums, bass, chords and a lead."""

from pathlib import Path
from typing import NamedTuple

from pydantic import TypeAdapter

from lalm.distill.facts import Fact, make_choice, make_number, make_yes_no
from lalm.synthesise.draft import ClipDraft, Draw, overlay, scale_to_peak, state_domain_facts
from lalm.synthesise.music.fluidsynth import Note
from lalm.synthesise.music.instruments import Instrument, Orchestra
from lalm.synthesise.music.melody import name_with_article
from lalm.synthesise.music.rhythm import state_tempo
from lalm.synthesise.music.theory import MAJOR, MINOR
from services.types import Value


class BandStyle(Value):
    """How a band plays a style; a bar is written as one character a step: x strikes, . rests."""

    name: str
    steps: int
    """Steps of a bar."""
    slowest: int
    fastest: int
    """Beats per minute."""
    steps_per_beat: int
    drums: dict[int, str]
    """Drum, as its MIDI number -> bar."""
    bass: str
    chords: str
    bass_programs: tuple[int, ...]
    chord_programs: tuple[int, ...]
    lead_programs: tuple[int, ...]
    used_for: str
    home: str


STYLES = TypeAdapter(tuple[BandStyle, ...]).validate_json(Path(__file__).with_suffix(".json").read_bytes())
BARS = (0, 5, 7, 0)  # roots of the bars, semitones above the tonic: I IV V I
LONG_BAR_S = 3.2
OFTEN_MINOR = frozenset({"Tango", "Blues shuffle", "Hip hop", "Reggae"})


class _Form(NamedTuple):
    """The piece that a band plays: style, length, speed and key."""

    style: BandStyle
    num_bars: int
    step_s: float
    tonic: int
    scale: tuple[int, ...]

    def list_strokes(self, bar: str) -> list[tuple[int, float]]:
        """Return the bar and the start in seconds of every step that is struck."""
        return [
            (number, 0.1 + (number * len(bar) + step) * self.step_s)
            for number in range(self.num_bars)
            for step, sign in enumerate(bar)
            if sign == "x"
        ]


def make_style(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Let a band play one style."""
    style = draw.rng.choice(STYLES)
    bpm = draw.rng.randint(style.slowest, style.fastest)
    step_s = 60 / bpm / style.steps_per_beat
    kit = orchestra.draw_kit(draw)
    bass, chords, lead = (
        orchestra.draw(draw, part) for part in (style.bass_programs, style.chord_programs, style.lead_programs)
    )
    bar_s = style.steps * step_s
    num_bars = 2 if bar_s > LONG_BAR_S else 4 if bar_s > LONG_BAR_S / 2 else 8
    scale = MINOR if style.name in OFTEN_MINOR and draw.decide(0.6) else MAJOR
    form = _Form(style, num_bars, step_s, draw.rng.randint(45, 52), scale)
    parts = [
        (0.0, scale_to_peak(bass.play(_write_bass(form)), -9)),
        (0.0, scale_to_peak(chords.play(_write_chords(form)), -13)),
        (0.0, scale_to_peak(lead.play(_write_lead(lead, draw, form)), -10)),
    ]
    sources = [bass.source, chords.source, lead.source]
    if style.drums:
        parts.append((0.0, scale_to_peak(kit.play(_write_drums(form)), -6)))
        sources.append(kit.source)
    facts = [*state_domain_facts("music", speech=False, music=True), *_state_style(style), *state_tempo(bpm)]
    said = f"{style.name.lower()} played by a band with {name_with_article(lead.name)} in front, {bpm} BPM"
    samples = scale_to_peak(overlay(parts), draw.rng.uniform(-10, -1))
    return ClipDraft(samples, "music", f"Music: {said}.", tuple(facts), tuple(sources), labels=(style.name,))


def _state_style(style: BandStyle) -> list[Fact]:
    facts = [
        make_choice("band_style", style.name, [one.name for one in STYLES]),
        make_choice("band_use", style.used_for, [one.used_for for one in STYLES]),
        make_choice("style_home", style.home, sorted({one.home for one in STYLES})),
        make_yes_no("has_drums", is_true=bool(style.drums)),
    ]
    return [*facts, make_number("beats_per_bar", 3, lowest=2)] if style.name == "Waltz" else facts


def _write_drums(form: _Form) -> list[Note]:
    return [
        Note(drum, start_s, form.step_s, 100)
        for drum, bar in form.style.drums.items()
        for _, start_s in form.list_strokes(bar)
    ]


def _write_bass(form: _Form) -> list[Note]:
    return [
        Note(form.tonic - 12 + BARS[bar % 4] - 12 * (BARS[bar % 4] > 6), start_s, 0.9 * form.step_s, 100)
        for bar, start_s in form.list_strokes(form.style.bass)
    ]


def _write_chords(form: _Form) -> list[Note]:
    return [
        Note(form.tonic + 12 + BARS[bar % 4] + step, start_s, 0.8 * form.step_s, 80)
        for bar, start_s in form.list_strokes(form.style.chords)
        for step in (0, form.scale[2], 7)
    ]


def _write_lead(lead: Instrument, draw: Draw, form: _Form) -> list[Note]:
    """Write a line of the scale over the bars, in the range of the instrument."""
    tonic = form.tonic
    while tonic < lead.midi.low:
        tonic += 12
    notes, step, degree = [], 0, 4
    while step < form.num_bars * form.style.steps:
        length = draw.rng.choice((1, 2, 2, 4)) * max(1, form.style.steps_per_beat // 2)
        octave, place = divmod(degree, len(form.scale))
        pitch = tonic + 12 * octave + form.scale[place]
        notes.append(Note(pitch, 0.1 + step * form.step_s, 0.9 * length * form.step_s, 95))
        degree = min(max(degree + draw.rng.choice((-2, -1, 1, 2)), 0), 11)
        step += length
    return notes
