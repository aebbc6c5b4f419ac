"""Facts about music from metadata: instrument, tempo, metre, chord or key, strokes, genre."""

import random
import re

from lalm.distill.facts import OWN, Fact, Wordings, capitalise, look_up, make_number, make_yes_no
from lalm.distill.metadata import Metadata

SLOWEST_MODERATE, FASTEST_MODERATE = 85, 115  # BPM
TELLABLE = 0.12  # minimum relative difference of a wrong tempo
TEMPO_WORDS = {
    "slow": ("Slow", "A slow tempo"),
    "moderate": ("Moderate", "A moderate tempo"),
    "fast": ("Fast", "A fast tempo"),
}
CHORDS = ("Major", "Minor", "Diminished", "Augmented")
PLAYED = ("A chord, then its notes one by one", "A scale up and down", "A melody")
METERS = ("4/4", "3/4", "5/4")
KINDS = re.compile(r"Music sample \((.+?)\)")
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
                "presence", is_true=is_true, about=about if about in {"timpani", "steel drums"} else _add_article(about)
            )
        )
    elif len(row.labels) == 1 and not row.title:
        kind = KINDS.search(row.caption)
        known = SAMPLE_KINDS.get(kind[1]) if kind else row.labels[0]
        facts = [Fact("music_sound", capitalise(known))] if known else []
    return facts


def _add_article(name: str) -> str:
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"


def _state_timing(row: Metadata) -> list[Fact]:
    facts = []
    if row.bpm:
        near = range(round(row.bpm * (1 - TELLABLE)), round(row.bpm * (1 + TELLABLE)))
        alike = frozenset(words.lower() for bpm in near for words in _word_tempo(bpm))
        word = "slow" if row.bpm < SLOWEST_MODERATE else "fast" if row.bpm > FASTEST_MODERATE else "moderate"
        others = tuple(words for key, words in TEMPO_WORDS.items() if key != word)
        facts += [Fact("tempo", _word_tempo(row.bpm), also_true=alike)]
        facts += [Fact("tempo_word", TEMPO_WORDS[word], wrong=others, pool=OWN)]
    if row.meter:
        facts += [
            _make_choice("meter", row.meter, METERS),
            make_number("beats_per_bar", int(row.meter.split("/")[0]), lowest=2),
        ]
    if row.count:
        facts.append(make_number("count", row.count))
    return facts


def _word_tempo(bpm: int) -> Wordings:
    return (f"{bpm} BPM", f"About {bpm} beats per minute")


def _state_harmony(row: Metadata) -> list[Fact]:
    if not row.mode:
        return []
    if "chord" in row.caption:
        return [_make_choice("chord", row.mode.capitalize(), CHORDS), _make_choice("playing", PLAYED[0], PLAYED)]
    if "scale" in row.caption:
        scale = "Natural minor scale" if row.mode == "minor" else "Major scale"
        return [Fact("scale", (scale,)), _make_choice("playing", PLAYED[1], PLAYED)]
    modes = (("Major", "A major key"), ("Minor", "A minor key"))
    right, wrong = modes if row.mode == "major" else modes[::-1]
    return [Fact("key_mode", right, wrong=(wrong,), pool=OWN), _make_choice("playing", PLAYED[2], PLAYED)]


def _state_piece(row: Metadata) -> list[Fact]:
    if not row.title:
        return []
    title = re.split(r"[-–]", row.title)[-1] if "on hold" in row.caption else row.title
    facts = [
        Fact("title", capitalise(re.sub(r"[_-]", " ", title)), is_open=False),
        Fact("vocals", ("Instrumental", "No vocals")),
    ]
    if "game music" in row.labels:
        facts.append(Fact("genre", ("Orchestral game music",)))
        return [*facts, Fact("music_use", ("In a fantasy game", "Game music"))]
    return [*facts, Fact("music_use", ("On a telephone line, while waiting", "Music on hold"))]


def _make_choice(kind: str, right: str, known: tuple[str, ...]) -> Fact:
    return Fact(kind, (right,), wrong=tuple((one,) for one in known if one != right), pool=OWN)
