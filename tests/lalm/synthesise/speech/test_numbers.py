"""Numbers as they are said."""

import pytest

from lalm.synthesise.speech.numbers import word_integer, word_ordinal, word_price, word_time


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (40, "forty"),
        (99, "ninety-nine"),
        (100, "one hundred"),
        (305, "three hundred and five"),
        (1000, "one thousand"),
        (2019, "two thousand and nineteen"),
        (45_678, "forty-five thousand six hundred and seventy-eight"),
    ],
)
def test_integers(value: int, words: str) -> None:
    assert word_integer(value) == words


def test_ordinals_times_and_prices() -> None:
    assert [word_ordinal(one) for one in (1, 12, 20, 21, 30, 31)] == [
        "first",
        "twelfth",
        "twentieth",
        "twenty-first",
        "thirtieth",
        "thirty-first",
    ]
    assert [word_time(7, 0), word_time(7, 5), word_time(12, 45)] == [
        "seven o'clock",
        "seven oh five",
        "twelve forty-five",
    ]
    assert [word_price(1, 0), word_price(20, 50)] == ["one euro", "twenty euros fifty"]
