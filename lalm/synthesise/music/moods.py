"""Clips of music whose mode, tempo, register and harmony express a mood."""

from typing import NamedTuple

from lalm.distill.facts import make_worded_choice
from lalm.distill.music_facts import KEY_MODES
from lalm.synthesise.draft import ClipDraft, Draw, overlay, scale_to_peak, state_domain_facts
from lalm.synthesise.music.fluidsynth import Note
from lalm.synthesise.music.instruments import Instrument, Orchestra
from lalm.synthesise.music.melody import name_with_article
from lalm.synthesise.music.rhythm import state_tempo
from lalm.synthesise.music.theory import MAJOR, MINOR

MOOD_WORDS = {
    "happy": ("Happy and lively", "Cheerful"),
    "sad": ("Sad and slow", "Melancholic"),
    "tense": ("Tense and threatening", "Suspenseful"),
    "calm": ("Calm and peaceful", "Relaxed"),
}
LENGTH_S = 8.0


class Mood(NamedTuple):
    """The musical means of a mood (Juslin & Laukka 2004, https://doi.org/10.1080/0929821042000317813)."""

    leads: tuple[int, ...]
    backings: tuple[int, ...]
    slowest: int
    fastest: int
    """Beats per minute."""
    scale: tuple[int, ...]
    chord: tuple[int, ...]
    lowest: int
    highest: int
    """Range of the tonic, as MIDI numbers."""
    mode: str = ""
    """Key of `KEY_MODES`; empty where the mode is ambiguous."""


MOODS = {
    "happy": Mood((73, 72, 13, 110, 22), (24, 0, 21), 140, 176, MAJOR, (0, 4, 7), 48, 55, "major"),
    "sad": Mood((42, 68, 40, 0), (0, 48), 50, 66, MINOR, (0, 3, 7), 48, 55, "minor"),
    "tense": Mood((44, 48, 43, 19), (48, 44), 110, 140, (0, 1, 3, 6, 7, 8, 11), (0, 1, 6), 38, 43),
    "calm": Mood((46, 10, 89, 24), (0, 89, 46), 54, 70, (0, 2, 4, 7, 9), (0, 4, 7), 48, 55),
}


def make_mood(orchestra: Orchestra, draw: Draw) -> ClipDraft:
    """Play a melody over chords in one mood."""
    name = draw.rng.choice(list(MOODS))
    mood = MOODS[name]
    lead, backing = orchestra.draw(draw, mood.leads), orchestra.draw(draw, mood.backings)
    bpm, tonic = draw.rng.randint(mood.slowest, mood.fastest), draw.rng.randint(mood.lowest, mood.highest)
    beat_s = 60 / bpm
    num_beats = round(LENGTH_S / beat_s)
    chords = [
        Note(tonic + step, 0.1 + beat * beat_s, 3.9 * beat_s, 70)
        for beat in range(0, num_beats, 4)
        for step in mood.chord
    ]
    melody = _write_melody(lead, draw, [tonic + step for step in mood.scale], [beat_s] * num_beats)
    samples = overlay([(0.0, scale_to_peak(lead.play(melody), -6)), (0.0, scale_to_peak(backing.play(chords), -12))])
    facts = [*state_domain_facts("music", speech=False, music=True), make_worded_choice("music_mood", name, MOOD_WORDS)]
    facts += state_tempo(bpm)
    if mood.mode:
        facts.append(make_worded_choice("key_mode", mood.mode, KEY_MODES))
    said = f"{MOOD_WORDS[name][0].lower()} music, {name_with_article(lead.name)} over chords"
    samples = scale_to_peak(samples, draw.rng.uniform(-12, -1))
    sources = (lead.source, backing.source)
    return ClipDraft(samples, "music", f"Music: {said}.", tuple(facts), sources, labels=(lead.name,))


def _write_melody(lead: Instrument, draw: Draw, scale: list[int], lengths_s: list[float]) -> list[Note]:
    """Write notes that move by small steps over two octaves of a scale."""
    steps = [12 * octave + pitch for octave in range(2) for pitch in scale]
    degree, now_s, melody = len(scale) // 2, 0.1, []
    for length_s in lengths_s:
        pitch = steps[degree]
        while pitch < lead.midi.low:
            pitch += 12
        melody.append(Note(pitch, now_s, 0.95 * length_s, 90))
        degree = min(max(degree + draw.rng.choice((-2, -1, 1, 2)), 0), len(steps) - 1)
        now_s += length_s
    return melody
