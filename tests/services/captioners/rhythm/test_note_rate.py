import numpy as np
import pytest

from services.captioners.rhythm.note_rate import describe_note_rate, find_rate_change


def place(gaps_s: np.ndarray) -> list[float]:
    return np.cumsum(gaps_s).tolist()


@pytest.mark.parametrize(
    ("gaps_s", "course"), [(np.geomspace(0.5, 0.25, 40), "it speeds up"), (np.geomspace(0.2, 0.5, 40), "it slows down")]
)
def test_notes_that_follow_faster_or_slower_are_told_with_both_rates(gaps_s: np.ndarray, course: str) -> None:
    (told,) = describe_note_rate(place(gaps_s))
    rate = find_rate_change(place(gaps_s))
    assert rate is not None
    assert told.text == f"Pace of the notes: {course}, from {rate.before:.1f} to {rate.after:.1f} notes a second."
    assert [label.text for label in told.labels] == [course]


def test_an_even_pace_a_few_notes_and_a_pace_that_goes_back_and_forth_are_no_change() -> None:
    assert describe_note_rate(place(np.full(40, 0.3))) == []
    assert describe_note_rate(place(np.geomspace(0.5, 0.2, 8))) == []
    assert describe_note_rate(place(np.tile([0.2] * 12 + [0.5] * 8, 2))) == []
