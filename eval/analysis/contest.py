"""`earwitness eval compare A B C …`: three or more results over the same items, by McNemar tests, with their cost.

In each task and category the most accurate one is set against each other one. It wins where it is better than all of
them by exact McNemar tests, corrected by Holm over every pair in every group of that kind: the leader was chosen on
these very items.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

from eval.analysis.compare import ScoreFunction, group_by_name, require_same
from eval.scoring.intervals import Interval, compute_wilson_interval
from eval.scoring.statistics import apply_holm_correction, compute_mcnemar_p
from eval.store.stored import StoredResult, StoredRow
from services.errors import BadConfig
from services.types import Value

SIGNIFICANT = 0.05


class Contestant(Value):
    """One result, over the items that all have."""

    name: str
    correct: int
    wilson_95: Interval
    seconds: float | None
    """Running time of its run per question; None for a prediction file."""
    unpaired: int
    """Items that not all have: left out."""
    cached: int
    """Captions, transcripts and readings whose seconds are not counted, as they were there already."""


class GroupWinner(Value):
    """Who wins within one task or category."""

    name: str
    n: int
    correct: dict[str, int]
    """Contestant -> right answers."""
    leader: str
    """The most accurate one; of equals the cheapest, then the first."""
    runner_up: str
    wins: bool
    """Whether the leader is better than each other one, p_holm < 0.05."""
    p_holm: float
    """The largest of the leader's against the others, adjusted over all pairs in all groups of this kind."""
    lead: float
    """Accuracy of the leader less that of the runner-up."""
    more_s: float | None
    """Seconds per question that the leader takes more than the runner-up; None where not both are runs of ours.

    A run's time is shared out by the seconds between its questions and their answers.
    """
    lead_per_s: float | None
    """The lead over `more_s`; None where the leader takes no more."""

    @property
    def level(self) -> tuple[str, ...]:
        """All that have as many right answers as the leader, who is one of them."""
        return tuple(name for name, count in self.correct.items() if count == self.correct[self.leader])


class Contest(Value):
    """Three or more results against each other."""

    scorer: ScoreFunction
    n: int
    contestants: tuple[Contestant, ...]
    overall: GroupWinner
    by_task: tuple[GroupWinner, ...]
    by_category: tuple[GroupWinner, ...]


class _ContestItem(NamedTuple):
    """One item, and which contestants got it right, in their order."""

    task: str
    category: str
    right: tuple[bool, ...]
    seconds: tuple[float, ...]
    """Share of each run's time."""


def hold_contest(results: Sequence[StoredResult], scorer: ScoreFunction = "strict") -> Contest:
    """Compare results over the items that all have."""
    by_id = [{row.verdict.id: row for row in result.rows} for result in results]
    shared = [id_ for id_ in by_id[0] if all(id_ in rows for rows in by_id)]
    names = tuple(result.name for result in results)
    num_answers = sum(by_id[0][id_].answer is not None for id_ in shared)
    if len(shared) < 2 or not num_answers:
        raise BadConfig(f"{', '.join(map(repr, names))} share {num_answers} items that have an answer; compare others.")
    if len(set(names)) < len(names):
        raise BadConfig(f"The results are named {', '.join(map(repr, names))}; give each folder a name of its own.")
    speeds = [_find_speed(result) for result in results]
    items = [_make_item([rows[id_] for rows in by_id], speeds, scorer) for id_ in shared]
    contestants = tuple(
        _make_contestant(result, [item.right[place] for item in items]) for place, result in enumerate(results)
    )
    return Contest(
        scorer=scorer,
        n=len(items),
        contestants=contestants,
        overall=_find_winners({"all": items}, contestants)[0],
        by_task=_find_winners(group_by_name(items, [item.task for item in items]), contestants),
        by_category=_find_winners(group_by_name(items, [item.category for item in items]), contestants),
    )


def _find_speed(result: StoredResult) -> float:
    """Return the seconds of a run per second between a question and its answer: items share the run's time."""
    waited = sum(verdict.took_s for verdict in result.verdicts)
    return max(verdict.clock_s for verdict in result.verdicts) / waited if waited else 0.0


def _make_item(rows: Sequence[StoredRow], speeds: Sequence[float], scorer: ScoreFunction) -> _ContestItem:
    for other in rows[1:]:
        require_same(rows[0], other)
    verdicts = [row.verdict for row in rows]
    right = tuple(one.correct_strict if scorer == "strict" else one.correct_official for one in verdicts)
    seconds = tuple(one.took_s * speed for one, speed in zip(verdicts, speeds, strict=True))
    return _ContestItem(verdicts[0].task, verdicts[0].category, right, seconds)


def _make_contestant(result: StoredResult, right: Sequence[bool]) -> Contestant:
    took_s = max(verdict.clock_s for verdict in result.verdicts)
    return Contestant(
        name=result.name,
        correct=sum(right),
        wilson_95=compute_wilson_interval(sum(right), len(right)),
        seconds=took_s / len(result.rows) if result.record else None,
        unpaired=len(result.rows) - len(right),
        cached=sum(verdict.num_cached for verdict in result.verdicts),
    )


def _find_winners(
    groups: dict[str, list[_ContestItem]], contestants: tuple[Contestant, ...]
) -> tuple[GroupWinner, ...]:
    named = {name: items for name, items in groups.items() if name}
    pairs = list(combinations(range(len(contestants)), 2))
    adjusted = iter(apply_holm_correction([_test_pair(items, *pair) for items in named.values() for pair in pairs]))
    return tuple(
        _find_winner(name, items, contestants, {pair: next(adjusted) for pair in pairs})
        for name, items in named.items()
    )


def _test_pair(items: Sequence[_ContestItem], a: int, b: int) -> float:
    only_a = sum(item.right[a] and not item.right[b] for item in items)
    return compute_mcnemar_p(only_a, sum(item.right[b] and not item.right[a] for item in items))


def _find_winner(
    name: str, items: Sequence[_ContestItem], contestants: tuple[Contestant, ...], p_holm: dict[tuple[int, int], float]
) -> GroupWinner:
    correct = [sum(item.right[place] for item in items) for place in range(len(contestants))]
    leader, second, *_ = sorted(
        range(len(contestants)), key=lambda place: (-correct[place], contestants[place].seconds or 0.0)
    )
    highest = max(p for pair, p in p_holm.items() if leader in pair)
    lead = (correct[leader] - correct[second]) / len(items)
    is_timed = all(contestants[place].seconds is not None for place in (leader, second))
    more_s = sum(item.seconds[leader] - item.seconds[second] for item in items) / len(items) if is_timed else None
    return GroupWinner(
        name=name,
        n=len(items),
        correct={one.name: count for one, count in zip(contestants, correct, strict=True)},
        leader=contestants[leader].name,
        runner_up=contestants[second].name,
        wins=highest < SIGNIFICANT,
        p_holm=highest,
        lead=lead,
        more_s=more_s,
        lead_per_s=lead / more_s if more_s is not None and more_s > 0 else None,
    )
