"""Wording of what rules count."""

from eval.display.rule_scores import format_rules
from eval.scoring.intervals import Interval
from eval.scoring.rule_scores import ErrorRate, InstructionScore, RuleScores


def test_instructions_and_errors_are_told_in_one_line_each() -> None:
    followed = InstructionScore(n=4, all_followed=1, all_followed_loosely=3, num=5, followed=2, followed_loosely=4)
    errors = ErrorRate(n=3, errors=6, length=100, rate=0.06, ci_95=Interval(0.01, 0.2))
    assert list(format_rules(RuleScores(instructions=followed, errors=errors))) == [
        "Instructions: 1 of 4 replies follow all (25.00%), 2 of 5 are followed (40.00%); loosely 3 and 4. "
        "Mean of the four: 55.00%.",
        "6 errors in 3 transcripts of 100 words or characters: 6.00% (95 % interval 1.0% to 20.0%).",
    ]
    silent = ErrorRate(n=1, errors=2, length=0, rate=None, ci_95=None)
    assert list(format_rules(RuleScores(errors=silent))) == [
        "2 errors in 1 transcript of 0 words or characters: no rate: the references have no words."
    ]
