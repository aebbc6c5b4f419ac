import pytest

from eval.store.failures import describe_total_failure


@pytest.mark.parametrize(
    ("reasons", "line"),
    [
        (["down"], "No answer; the reason: down"),
        (["down", "down"], "No answer; the reason: down"),
        (["down", "away", "down"], "No answer; the reason 2 times of 3: down"),
        (["down", "away"], "No answer; the reason 1 time of 2: down"),
        (["Traceback …\n  File x\nKeyError: 'a'\n"], "No answer; the reason: KeyError: 'a'"),
        ([" \n"], "No answer; the reason: none was given"),
        (["x" * 400], f"No answer; the reason: {'x' * 300} …"),
    ],
)
def test_the_reason_that_most_share_is_told_in_one_line(reasons: list[str], line: str) -> None:
    assert describe_total_failure("No answer", reasons) == line
