import pytest

from agents.reasons.times import TimeMention, find_times


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("A dog barks at 3.1 s.", [(3.1, 3.1)]),
        ("It rains from 3.1 to 4.0 seconds", [(3.1, 4.0)]),
        ("3.1-4.0 s: a bell", [(3.1, 4.0)]),
        ("between 2 s and 5 s", [(2.0, 5.0)]),
        ("between 2 and 5 minutes", [(120.0, 300.0)]),
        ("after 2 hours", [(7200.0, 7200.0)]),
        ("from 1:05 to 80 seconds", [(65.0, 80.0)]),
        ("from 1:05 to 2 minutes", [(65.0, 120.0)]),
        ("at 250 ms and at 1 second", [(0.25, 0.25), (1.0, 1.0)]),
        ("from 1:05 to 1:10, and at 1:02:03", [(65.0, 70.0), (3723.0, 3723.0)]),
        ("3-4 dogs, 5 strokes, version 1.2.3", []),
        ("a speed of 5 sm", []),
    ],
)
def test_times_are_read_in_digits_with_their_unit_or_as_a_clock_shows_them(
    text: str, spans: list[tuple[float, float]]
) -> None:
    assert [(one.start_s, one.end_s) for one in find_times(text)] == spans


def test_a_time_is_as_exact_as_it_is_written() -> None:
    def at(text: str) -> TimeMention:
        return next(find_times(text))

    assert at("4 s").is_within(0.0, 3.6) and not at("4.0 s").is_within(0.0, 3.6)
    assert at("3 s").is_within(3.4, 9.0) and not at("3.0 s").is_within(3.4, 9.0)
    assert at("4 s").is_within(0.0, 3.5) and not at("4 s").is_within(0.0, 3.4)  # half of the last digit
    assert not at("3.15 to 4 s").is_within(0.0, 3.9)  # the more exact of two
    assert at("1:05").is_within(65.9, 66.0) and not at("1:05").is_within(67.0, 68.0)
    assert at("700 s").is_within(3.0, None)
