"""Wording of what rules count beside right and wrong: instructions followed, and error rates."""

from collections.abc import Iterator

from eval.scoring.rule_scores import RuleScores
from services.terminal.counts import format_count


def format_rules(scores: RuleScores) -> Iterator[str]:
    """Say how many instructions were followed, and how many words or characters were wrong."""
    if found := scores.instructions:
        replies = (
            f"{found.all_followed} of {format_count(found.n, 'reply', 'replies')} follow all "
            f"({found.all_followed / found.n:.2%})"
        )
        single = f"{found.followed} of {found.num} are followed ({found.followed / found.num:.2%})"
        loosely = f"{found.all_followed_loosely} and {found.followed_loosely}"
        yield f"Instructions: {replies}, {single}; loosely {loosely}. Mean of the four: {found.final:.2%}."
    if errors := scores.errors:
        share = "no rate: the references have no words" if errors.rate is None else f"{errors.rate:.2%}"
        low, high = errors.ci_95 or (None, None)
        interval = "" if low is None or high is None else f" (95 % interval {low:.1%} to {high:.1%})"
        counted = (
            f"{format_count(errors.errors, 'error')} in {format_count(errors.n, 'transcript')} of "
            f"{format_count(errors.length, 'word or character', 'words or characters')}"
        )
        yield f"{counted}: {share}{interval}."
