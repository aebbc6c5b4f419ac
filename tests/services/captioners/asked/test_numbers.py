import pytest

from services.captioners.asked.numbers import are_beats, read_durations_s


@pytest.mark.parametrize("options", [("3", "4"), ("five", "seven", "two"), ("4 beats", "12 beats")])
def test_small_whole_numbers_may_be_beats(options: tuple[str, ...]) -> None:
    assert are_beats(options)


@pytest.mark.parametrize(
    "options", [("3", "90"), ("3.5", "4"), ("3 s", "4 s"), ("1", "2"), ("4", "none"), ("4",), ("about 3 seconds", "4")]
)
def test_tempi_durations_and_fractions_are_no_beats(options: tuple[str, ...]) -> None:
    assert not are_beats(options)


def test_durations_are_read_where_every_option_is_one() -> None:
    assert read_durations_s(("about 2 seconds", "1.5 s", "seven seconds")) == [2.0, 1.5, 7.0]
    assert read_durations_s(("2 seconds", "4")) == read_durations_s(("2 s", "from 3 to 4 s")) == []
