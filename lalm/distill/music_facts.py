"""Facts about music from metadata: instrument, tempo, metre, chord or key, strokes, genre."""

import random
import re
from collections.abc import Mapping

from lalm.distill.captions import read_caption
from lalm.distill.facts import (
    Fact,
    Wordings,
    add_article,
    capitalise,
    look_up,
    make_choice,
    make_number,
    make_worded_choice,
    make_yes_no,
    word_tempo,
)
from lalm.distill.metadata import Metadata, MusicUse, Playing

SLOWEST_MODERATE, FASTEST_MODERATE = 85, 115  # BPM
MIN_TEMPO_DIFFERENCE = 0.12  # relative difference of a wrong tempo from the right one
TEMPO_WORDS: Mapping[str, Wordings] = {
    "slow": ("Slow", "A slow tempo"),
    "moderate": ("Moderate", "A moderate tempo"),
    "fast": ("Fast", "A fast tempo"),
}
CHORDS = ("Major", "Minor", "Diminished", "Augmented")
SCALES = {"major": "Major scale", "minor": "Natural minor scale"}
KEY_MODES: Mapping[str, Wordings] = {"major": ("Major", "A major key"), "minor": ("Minor", "A minor key")}
PLAYED: Mapping[Playing, str] = {
    "chord": "A chord, then its notes one by one",
    "scale": "A scale up and down",
    "melody": "A melody",
}
METERS = ("4/4", "3/4", "5/4")
METER = re.compile(r"([1-9]\d?)/\d+")
MUSIC_USES: Mapping[MusicUse, Wordings] = {
    "game": ("In a fantasy game", "Game music"),
    "on hold": ("On a telephone line, while waiting", "Music on hold"),
}
SAMPLE_KINDS = {
    "bass loop": "An electronic bass loop",
    "drum loop": "A drum loop",
    "strings or pad": "Synthetic strings or a pad",
    "Latin music": "Latin music",
}


def read_music_facts(row: Metadata, rng: random.Random) -> list[Fact]:
    """Read the facts about music; none for other clips."""
    if row.task != "music":
        return []
    return _state_instrument(row, rng) + _state_timing(row) + _state_harmony(row) + _state_piece(row)


def _state_instrument(row: Metadata, rng: random.Random) -> list[Fact]:
    facts = []
    if len(row.labels) == 1 and (family := look_up("instrument_family", row.labels[0])):
        facts = [Fact("instrument", capitalise(row.labels[0])), Fact("instrument_family", capitalise(family))]
        is_true = rng.random() < 0.5
        others = [
            name
            for name in ("piano", "violin", "trumpet", "flute", "drum kit", "banjo")
            if name not in row.labels[0].lower()
        ]
        about = row.labels[0].lower() if is_true else rng.choice(others)
        facts.append(
            make_yes_no(
                "presence", is_true=is_true, about=about if about in {"timpani", "steel drums"} else add_article(about)
            )
        )
    elif len(row.labels) == 1 and not row.title:
        kind = read_caption(row).sample_kind
        known = SAMPLE_KINDS.get(kind) if kind else row.labels[0]
        facts = [Fact("music_sound", capitalise(known))] if known else []
    return facts


def _state_timing(row: Metadata) -> list[Fact]:
    facts = []
    if row.bpm:
        near = range(round(row.bpm * (1 - MIN_TEMPO_DIFFERENCE)), round(row.bpm * (1 + MIN_TEMPO_DIFFERENCE)))
        alike = frozenset(words.lower() for bpm in near for words in word_tempo(bpm))
        word = "slow" if row.bpm < SLOWEST_MODERATE else "fast" if row.bpm > FASTEST_MODERATE else "moderate"
        facts += [Fact("tempo", word_tempo(row.bpm), also_true=alike)]
        facts += [make_worded_choice("tempo_word", word, TEMPO_WORDS)]
    if row.meter and (meter := METER.fullmatch(row.meter)):
        facts += [make_choice("meter", row.meter, METERS), make_number("beats_per_bar", int(meter[1]), lowest=2)]
    if row.count:
        facts.append(make_number("count", row.count))
    return facts


def _state_harmony(row: Metadata) -> list[Fact]:
    playing = read_caption(row).playing
    facts = []
    if row.mode and playing == "chord":
        facts.append(make_choice("chord", row.mode.capitalize(), CHORDS))
    elif row.mode in SCALES and playing == "scale":
        facts.append(Fact("scale", (SCALES[row.mode],)))
    elif row.mode and row.mode in KEY_MODES:
        facts.append(make_worded_choice("key_mode", row.mode, KEY_MODES))
    return [*facts, make_choice("playing", PLAYED[playing], PLAYED.values())] if playing else facts


def _state_piece(row: Metadata) -> list[Fact]:
    if not row.title:
        return []
    use = read_caption(row).music_use
    title = re.split(r"[-–]", row.title)[-1] if use == "on hold" else row.title  # the artist comes before it
    facts = [Fact("title", capitalise(" ".join(re.split(r"[\s_-]+", title))), is_open=False)]
    if "instrumental" in row.labels:
        facts.append(Fact("vocals", ("Instrumental", "No vocals")))
    if {"orchestral", "game music"} <= {*row.labels}:
        facts.append(Fact("genre", ("Orchestral game music",)))
    return [*facts, Fact("music_use", MUSIC_USES[use])] if use else facts
