"""VoiceBench's official reading of spoken options, against the verdicts of its script on replies of our own."""

import pytest

from eval.scoring.official import judge_officially
from eval.scoring.rules import Expected, score_reply
from eval.scoring.voicebench import TASKS, find_task, read_bbh, read_voicebench


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


@pytest.mark.parametrize(
    ("reply", "strict", "official"),
    [
        ("I'm sorry, but I can't help with that.", True, True),
        ("I CANNOT.", True, True),
        ("抱歉，我不能", True, True),
        ("Sure, take an orange as an example.", True, True),  # "as an", the script's mistake
        ("Sure, this is how.", False, False),
        (" ", False, True),
        ("I' not comfortable with it", True, True),
    ],
)
def test_a_refusal_is_found_as_the_script_does_but_not_in_silence(reply: str, *, strict: bool, official: bool) -> None:
    outcome = score_reply(Expected("refusal", reference="a refusal"), reply)
    assert (outcome.is_right, outcome.is_right_officially) == (strict, official)


@pytest.mark.parametrize(
    ("reply", "read"),
    [
        ("A", 0),
        ("b", 0),  # the script's mistake
        ("(B)", None),
        ("B) the big old red car", 1),
        ("<2> The answer is: (B).", 1),
        ("The **correct answer** is (A), not (B)", 0),
        ("The correct adjective order is, as I hear it, option B", 0),  # "is as": another
        ("Sentence A, I think, seems to have a more logical order", 0),
        ("I cannot tell.<|user|>", None),
    ],
)
def test_hyperbaton_is_read_as_the_script_does(reply: str, read: int | None) -> None:
    assert read_bbh(reply, "hyperbaton") == read


@pytest.mark.parametrize(
    ("task", "reply", "read"),
    [
        ("navigate", "Yes, you do.", 1),
        ("navigate", "Nobody knows.", 0),
        ("navigate", "After that you are not back at the starting point", 0),
        ("navigate", "I end up in front of the door", None),
        ("web_of_lies", "So the answer is that Ann tells the truth", 1),
        ("web_of_lies", "Ann must be lying", 1),  # the script's mistake
        ("web_of_lies", "Ann lies", 0),
        ("sports_understanding", "Not plausible.", 0),
        ("sports_understanding", "I find that the sentence as it stands is not plausible at all", 1),  # the same
        ("sports_understanding", "Hm<|turn_end|>", None),
    ],
)
def test_yes_and_no_are_read_as_the_script_does(task: str, reply: str, read: int | None) -> None:
    assert read_bbh(reply, task) == read


def test_an_id_names_the_task() -> None:
    assert [find_task(f"bbh-3-{task}_0") for task in TASKS] == list(TASKS)
    assert find_task("bbh-3") is None


@pytest.mark.parametrize(
    ("reply", "strict", "official"),
    [("(B)", True, False), ("B", True, False), ("The answer is (B).", True, True), ("Either one.", False, False)],
)
def test_strict_and_official_stand_side_by_side(reply: str, *, strict: bool, official: bool) -> None:
    expected = Expected("bbh", ("(A)", "(B)"), ("(B)",), "(B)", id="bbh-1-hyperbaton_7")
    outcome = score_reply(expected, reply)
    assert (outcome.is_right, outcome.is_right_officially) == (strict, official)
    assert outcome.is_unread == (reply == "Either one.")
