import numpy as np
import pytest

from services.captioners.asked.harmony import state_chords, state_key
from services.captioners.focus import FocusQuery
from services.captioners.music.harmony import KeyChange, MusicalKey
from services.captioners.music.pitches import LOWEST_PITCH, Pitches

A_MINOR, F_MAJOR, E_MAJOR = [57, 60, 64], [53, 57, 60], [52, 56, 59]
KEYS = (MusicalKey(0, "major", 0.4), MusicalKey(2, "major", 0.4))


def ask(question: str, *options: str) -> FocusQuery:
    return FocusQuery("key", question.lower(), options, is_named=True)


def held(*rows: list[int]) -> Pitches:
    sounding = np.zeros((86 * len(rows), 88), np.float32)
    for index, pitches in enumerate(rows):
        sounding[index * 86 : (index + 1) * 86, [pitch - LOWEST_PITCH for pitch in pitches]] = 0.8
    return Pitches(sounding, np.zeros_like(sounding))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Is the chord at the end major or minor?", "Last chord: major (the chord is E major), from 1.9"),
        ("What is the first chord?", "Chord 1: minor (the chord is A minor), from 0.0"),
        ("Which quality has the second chord?", "Chord 2: major (the chord is F major), from 1.0"),
        ("Which chords are played?", "Chords in order: A minor, F major, E major."),
        ("Does the last chord repeat the first chord?", "Chords in order: A minor, F major, E major."),
        ("What is the sixth chord?", "Chords in order: A minor, F major, E major."),
    ],
)
def test_the_chord_at_a_place_is_stated_and_else_all_in_order(question: str, text: str) -> None:
    (told,) = state_chords(held(A_MINOR, F_MAJOR, E_MAJOR), ask(question))
    assert told.text.startswith(text)


def test_the_only_chord_needs_no_place_and_silence_has_none() -> None:
    (told,) = state_chords(held(A_MINOR), ask("Is the chord major or minor?"))
    assert told.text.startswith("Chord: minor (the chord is A minor)")
    assert state_chords(held([]), ask("Is the chord major or minor?")) == []


def test_a_chord_whose_tones_come_one_after_another_is_one() -> None:
    broken = held([55, 59, 62], [52, 55, 59, 62], [52, 55, 59, 62])
    (told,) = state_chords(broken, ask("What type of chord is it?"))
    assert told.text.startswith("Chord: minor seventh (the chord is E minor seventh)")
    (listed,) = state_chords(broken, ask("Which chords are played?"))
    assert listed.text == "Chords in order: G major, E minor seventh."


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("How many chords are played?", "Number of chords: 4."),
        ("How many different chords does the piece use?", "Number of different chords: 3."),
        ("How many chord changes are heard?", "Number of chord changes: 3."),
    ],
)
def test_chords_are_counted_in_order_or_by_name(question: str, text: str) -> None:
    (told,) = state_chords(held(A_MINOR, F_MAJOR, E_MAJOR, A_MINOR), ask(question))
    assert told.text == text
    assert state_chords(held([]), ask(question)) == []


def test_a_change_of_key_is_stated_where_the_course_is_asked_for() -> None:
    change, asked = KeyChange(*KEYS, margin=1.0), ask("How does the key change?")
    (told,) = state_key(KEYS[0], change, asked)
    assert told.text == ("Key change: the key changes from C major to D major, up 2 semitones, to a higher key.")
    assert [one.text for one in state_key(KEYS[0], None, asked)] == ["The key stays the same: C major."]
    assert [one.text for one in state_key(KEYS[0], change, ask("Which key is it?"))] == ["Key: C major."]
    assert [one.text for one in state_key(KEYS[0], None, asked, may_change=False)] == ["Key: C major."]
    assert state_key(None, None, asked) == []
