"""Statements on the harmony that a focus asks for: the chord at a place, chords in order, the key and its change."""

from collections.abc import Sequence

from services.captioners.focus import FocusQuery
from services.captioners.music import harmony
from services.captioners.music.caption import MAX_CHORDS, describe_key_change, select_chords
from services.captioners.music.notes import parse_pitches
from services.captioners.music.pitches import Pitches
from services.captioners.statement import Statement, make_labels, make_statement

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
FIRST = r"begin\w*|starts?|starting|opens?|opening"
LAST = r"last|ends?|ending|final\w*|closes?|closing|finish\w*"
CHANGES = r"chang\w*|modulat\w*|happens?|shifts?|same"
SAME_KEY_PRECISION = 0.75
NUMBER_PRECISION = 0.7  # share of the numbers of chords, and of different chords, that are right (docs/ears.md)
DIFFERENT = r"different|distinct|unique|kinds?|types?"


def counts_chords(focus: FocusQuery) -> bool:
    """Tell whether a question asks for the number of chords, or of their changes."""
    return focus.asks_how_many(r"chords?|chord changes|harmonies|harmon\w+ changes")


def state_chords(pitches: Pitches, focus: FocusQuery) -> list[Statement]:
    """State the only chord, or the one at the place that is asked about; of several their number, or all in order."""
    if counts_chords(focus):
        return _state_number(pitches, focus)
    longest = max(harmony.recognise_chords(pitches), key=lambda c: c.fit * c.duration_s, default=None)
    chords = select_chords(pitches) or ([longest] if longest else [])
    if not chords:
        return []
    if longest and focus.asks("chord") and _holds_all(longest, chords):
        chords = [longest]  # its tones come one after another: those of a triad before the seventh
    number = 0 if len(chords) == 1 else _find_number(focus, len(chords))
    if number is None:
        names = make_labels(chord.name for chord in chords[:MAX_CHORDS])
        more = " …" if len(chords) > MAX_CHORDS else ""
        sure = sum(chord.confidence for chord in chords) / len(chords)
        return [Statement("harmony", f"Chords in order: {', '.join(map(str, names))}{more}.", sure, labels=names)]
    chord = chords[number]
    named = make_labels([f"{chord.quality} (the chord is {chord.name})"])
    which = "Chord" if len(chords) == 1 else "Last chord" if number == len(chords) - 1 else f"Chord {number + 1}"
    text = f"{which}: {named[0]}, from {chord.start_s:.1f} to {chord.end_s:.1f} s."
    return [Statement("harmony", text, chord.confidence, labels=named)]


def _holds_all(chord: harmony.Chord, others: Sequence[harmony.Chord]) -> bool:
    """Say whether the tones of all other chords are among those of one."""
    return all(_list_tones(other) <= _list_tones(chord) for other in others)


def _state_number(pitches: Pitches, focus: FocusQuery) -> list[Statement]:
    """State how many chords are played one after another, how many different ones, or how often the chord changes."""
    names = [chord.name for chord in select_chords(pitches)]
    if not names:
        return []
    if focus.asks(r"chang\w*"):
        return [make_statement("harmony", "Number of chord changes: {}.", [len(names) - 1], NUMBER_PRECISION, "model")]
    what = "different chords" if focus.asks(DIFFERENT) else "chords"
    number = len(set(names)) if focus.asks(DIFFERENT) else len(names)
    return [make_statement("harmony", f"Number of {what}: {{}}.", [number], NUMBER_PRECISION, "model")]


def _list_tones(chord: harmony.Chord) -> frozenset[int]:
    return frozenset((chord.root + interval) % 12 for interval in harmony.QUALITIES[chord.quality])


def _find_number(focus: FocusQuery, num_chords: int) -> int | None:
    """Find which chord is asked about, from 0; None where that is none, or more than one."""
    nth = {number for number, word in enumerate(ORDINALS) if focus.asks(rf"{word} (?:\w+ )?chord")}
    nth |= {0} if focus.asks(FIRST) else set()
    nth |= {num_chords - 1} if focus.asks(LAST) else set()
    return nth.pop() if len(nth) == 1 and max(nth) < num_chords else None


def state_key(
    key: harmony.MusicalKey | None, change: harmony.KeyChange | None, focus: FocusQuery, *, may_change: bool = True
) -> list[Statement]:
    """State the key as the options spell it; where its course is asked for, how it changes or that it stays.

    Args:
        key: of the whole.
        change: of the key, where one was found.
        focus: the question.
        may_change: whether a change was looked for; else nothing says that the key stays.
    """
    if focus.asks(CHANGES):
        if change:
            return [describe_key_change(change)]
        if key and may_change:
            text = f"The {{}}: {key.name}."
            return [make_statement("harmony", text, ["key stays the same"], SAME_KEY_PRECISION, "model")]
    return [make_statement("harmony", "Key: {}.", [_spell_as_asked(key.name, focus)], key.confidence)] if key else []


def _spell_as_asked(key: str, focus: FocusQuery) -> str:
    """Return the key as the options spell it, such as D flat for C sharp (enharmonic)."""
    heard = parse_pitches(key)
    return next((option[0].upper() + option[1:] for option in focus.options if parse_pitches(option) == heard), key)
