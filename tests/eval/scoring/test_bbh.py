"""VoiceBench's official reading of BIG-Bench Hard, against the verdicts of its script on replies of our own."""

import pytest

from eval.scoring.bbh import TASKS, find_task, read_bbh
from eval.scoring.rules import Expected, score_reply


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
