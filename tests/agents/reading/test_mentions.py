"""Function words as options: named in an answer or a contrast, or only part of a phrase."""

import pytest

from agents.reading.reply import read_choice
from services.types import Question


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ("It goes up, not down.", "up"),
        ("It moves down rather than up", "down"),
        ("It goes not down but up.", "up"),
        ("It is up.", "up"),
        ("It goes up and down.", None),
        ("It goes up, then down.", None),
        ("It isn't up or down.", None),
        ("I give up.", None),
        ("It is anything but up.", None),
        ("That breaks down over time.", None),
    ],
)
def test_a_particle_is_read_where_the_reply_sets_it_against_the_other(reply: str, read: str | None) -> None:
    choice = read_choice(reply, Question.ask("Where does it go?", ("up", "down")).choices)
    assert (choice.text if choice else None) == read
