import pytest

from agents.listening.classifiers.absent import estimate_asks_for_absent


@pytest.mark.parametrize(
    ("text", "asks_for_absent"),
    [
        ("Which of these instruments cannot be heard?", True),
        ("Which sound never occurs in the clip?", True),
        ("All of these are played except:", True),
        ("Welches Instrument ist nicht zu hören?", True),
        ("Which of these instruments can be heard?", False),
        ("What does the guide tell visitors not to do?", False),
        ("Why is the man not at home?", False),
        ("Which sound is the loudest?", False),
    ],
)
def test_a_question_for_what_is_not_there_is_told_from_one_that_denies(text: str, asks_for_absent: bool) -> None:
    assert (estimate_asks_for_absent(text) > 0.5) is asks_for_absent
