"""VoiceBench's official reading of spoken options, against the verdicts of its script on replies of our own."""

import pytest

from eval.scoring.official import judge_officially
from eval.scoring.voicebench import read_voicebench


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("B", "b"),
        ("<1> C", "c"),
        ("d) rain", "d"),
        ("The answer is C.", "c"),
        ("The correct answer is b, not c.", "b"),
        ("Give it an a. Then b.", "a"),
        ("答案是D", "d"),
        ("I would choose option C, because", "c"),
        ("E", None),
        ("A dog", None),
        ("", None),
        ("rain", None),
    ],
)
def test_a_letter_is_read_as_the_script_does(reply: str, letter: str | None) -> None:
    assert read_voicebench(reply) == (None if letter is None else "abcd".index(letter))


def test_what_the_script_would_guess_is_not_right() -> None:
    assert not judge_officially("voicebench", "rain", ("wind", "rain"), 1).is_right
    assert judge_officially("voicebench", "It is B.", ("wind", "rain"), 1).is_right


def test_audiobench_cuts_four_characters_of_each_option() -> None:
    lettered = ("(A) Man", "(B) Woman")
    assert judge_officially("audiobench", "(A) Man", lettered, 0).is_right
    assert judge_officially("audiobench", "A man, of course", lettered, 0).is_right
    assert not judge_officially("audiobench", "woman", lettered, 0).is_right
    assert not judge_officially("audiobench", "Piano", ("Piano", "Viola"), 0).is_right  # "o" is what is left of it
