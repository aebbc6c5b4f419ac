"""Intervals that a text names, in semitones."""

import pytest

from agents.reading.intervals import parse_interval


@pytest.mark.parametrize(
    ("text", "semitones"),
    [
        ("octave (12 semitones)", 12),
        ("one octave", 12),
        ("two octaves", 24),
        ("a semitone", 1),
        ("A half step", 1),
        ("minor second (1 semitone, a half step)", 1),
        ("a whole tone", 2),
        ("perfect fifth (7 semitones)", 7),
        ("A fifth", 7),
        ("seven semitones", 7),
        ("3 half steps", 3),
        ("two whole steps", 4),
        ("a tritone", 6),
        ("tritone (augmented fourth) (6 semitones)", 6),
        ("Major third", 4),
        ("a minor-sixth", 8),
        ("a third", None),  # major or minor
        ("a fifth or a fourth", None),
        ("the fifth beat", None),
        ("A violin", None),
        ("", None),
    ],
)
def test_an_interval_is_read_however_it_is_named(text: str, semitones: int | None) -> None:
    assert parse_interval(text) == semitones
