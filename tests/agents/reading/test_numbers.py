"""Numbers in words are spelled in digits."""

import pytest

from agents.reading.numbers import spell_in_digits


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("Twenty-one of them", "21 of them"),
        ("nineteen hundred", "1900"),
        ("two thousand and six", "2006"),
        ("one two three", "1 2 3"),
        ("someone stones the often", "someone stones the often"),
        ("3/4 at 9:30 on 1.2.2003", "3/4 at 9:30 on 1.2.2003"),
    ],
)
def test_numbers_are_spelled_in_digits(text: str, digits: str) -> None:
    assert spell_in_digits(text) == digits
