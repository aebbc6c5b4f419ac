"""Official rules on replies of our own; what each script counts was read off the script, its traps included."""

import pytest

from eval.scoring.official import OfficialRule, judge_officially

RIGHT, WRONG, DROPPED = (True, False), (False, False), (False, True)


@pytest.mark.parametrize(
    ("rule", "reply", "options", "right", "verdict"),
    [
        ("word sets", "a barking dog", ["A barking dog", "A cat"], 0, RIGHT),
        ("word sets", "A", ["A barking dog", "A cat"], 0, WRONG),
        ("mmsu", "B", ["dog", "cat", "", ""], 1, RIGHT),
        ("mmsu", "The answer is B.", ["dog", "cat", "", ""], 1, RIGHT),
        ("mmsu", "B. cat\n", ["dog", "cat", "", ""], 1, RIGHT),
        ("mmsu", "Cat", ["dog", "hen", "cat", "cow"], 2, RIGHT),  # its first letter is a C
        ("mmsu", "it is cat", ["dog", "cat", "", ""], 1, DROPPED),
        ("mmsu", "", ["dog", "cat", "", ""], 1, WRONG),
        ("mmsu", "None", ["dog", "cat", "", ""], 1, WRONG),
        ("mmsu", "A", ["cat", "cat", "", ""], 1, RIGHT),  # any option with the right text
        ("mmsu", "D", ["dog", "cat"], 1, WRONG),
        ("air-bench", "A", ["dog", "cat", "hen", "cow"], 0, RIGHT),
        ("air-bench", "", ["dog", "cat", "hen", "cow"], 0, DROPPED),
        ("air-bench", "dog", ["dog", "cat", "hen", "cow"], 0, DROPPED),
        ("air-bench", "A", ["dog", "cat", "hen", "cow", "pig"], 4, WRONG),  # it knows no fifth letter
        ("mmsu", "A", ["dog", "cat", "hen", "cow", "pig"], 4, WRONG),
        ("speechr", "Final answer: B", ["dog", "cat"], 1, RIGHT),
        ("speechr", "b)", ["dog", "cat"], 1, RIGHT),
        ("speechr", "a cat", ["dog", "cat"], 1, WRONG),  # the article is taken for the letter A
        ("speechr", "the cat sits", ["dog", "cat"], 1, RIGHT),
        ("speechr", "That is true", ["Yes", "No"], 0, RIGHT),  # its last step looks at the right answer
        ("speechr", "That is false", ["Yes", "No"], 0, WRONG),
        ("muchomusic", "The correct answer is: (C) Jazz", ["Pop", "Rock", "Jazz", "Folk"], 2, RIGHT),
        ("muchomusic", "jazz", ["Pop", "Rock", "Jazz", "Folk"], 2, RIGHT),
        ("muchomusic", "Dixieland jazz", ["Pop", "Rock", "Dixieland jazz", "Folk"], 2, WRONG),  # a D
        ("star-bench", "<answer><B></answer>", ["a dog", "rain"], 1, RIGHT),
        ("star-bench", "Option A is tempting, but the answer is (B)", ["a dog", "rain"], 1, RIGHT),
        ("star-bench", "The answer is (B), not option A", ["a dog", "rain"], 1, RIGHT),  # brackets before the last
        ("star-bench", "It sounds like A dog to me", ["a dog", "rain"], 1, WRONG),
        ("star-bench", "surely this is rain", ["a dog", "rain"], 1, RIGHT),
        ("star-bench", "just rain", ["a dog", "rain"], 1, WRONG),  # two words: no text is looked for
        ("star-bench", "option b", ["a dog", "rain"], 1, WRONG),  # a small letter is none of its letters
        ("mmlu-pro", "so the answer is (C)", ["1", "2", "3", "4"], 2, RIGHT),
        ("mmlu-pro", "Answer: D", ["1", "2", "3", "4"], 3, RIGHT),
        ("mmlu-pro", "It Could Be 3", ["1", "2", "3", "4"], 1, RIGHT),  # the last capital up to J, of "Be"
        ("mmlu-pro", "no idea", ["1", "2", "3", "4"], 3, RIGHT),  # its one guess among four, always D
        ("mmlu-pro", "no idea", ["1", "2", "3", "4"], 2, WRONG),
        ("muchomusic", "none of these", ["Pop", "Rock", "Jazz", "Folk"], 2, WRONG),
    ],
)
def test_a_rule_gives_the_verdict_of_its_script(
    rule: OfficialRule, reply: str, options: list[str], right: int, verdict: tuple[bool, bool]
) -> None:
    assert judge_officially(rule, reply, options, right) == verdict
