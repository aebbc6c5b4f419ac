"""`earwitness eval compare A B`: paired comparison of two results (McNemar test, paired difference, Holm correction).

Items are paired by id. What only one of the two has is counted and shown; an id with another question, other
options or another answer stops the comparison. Unread and failed items are wrong in both.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal, NamedTuple, TypeAlias, TypeVar

from eval.scoring.intervals import Interval, compute_wilson_interval
from eval.scoring.statistics import (
    Difference,
    apply_holm_correction,
    compute_clustered_p,
    compute_cohens_h,
    compute_detectable_difference,
    compute_mcnemar_p,
    compute_paired_difference,
)
from eval.store.stored import StoredResult, StoredRow
from services.errors import BadConfig
from services.terminal.counts import format_count
from services.types import Value

ScoreFunction: TypeAlias = Literal["strict", "official"]
AnyItem = TypeVar("AnyItem")


class Side(Value):
    """One of the two results, over the paired items."""

    name: str
    correct: int
    wilson_95: Interval
    unread: int
    failed: int
    unpaired: int
    """Items that the other side does not have: left out of everything else."""


class GroupComparison(Value):
    """The comparison within one task or category."""

    name: str
    n: int
    correct_a: int
    correct_b: int
    difference: float
    """Accuracy of A less that of B."""
    ci_95: Interval | None
    """By sources; None where all items share one."""
    p: float
    """Exact McNemar."""
    p_holm: float
    """Adjusted over the groups of its kind."""


class Comparison(Value):
    """A against B, item by item."""

    scorer: ScoreFunction
    n: int
    a: Side
    b: Side
    both_right: int
    only_a: int
    only_b: int
    both_wrong: int
    mcnemar_p: float
    """Exact, two-sided."""
    difference: float
    """Accuracy of A less that of B."""
    se: float
    ci_95: Interval
    clustered_se: float | None
    """Of the difference, where items share a source; `ci_95` is then by it."""
    clustered_p: float | None = None
    """Two-sided p by Student's t with that standard error."""
    num_clusters: int | None = None
    """Sources, which are recordings, or the videos that a benchmark names; None where no items share one."""
    cohens_h: float
    oracle: float
    """Accuracy of whoever always picked the better of the two answers."""
    switch_by_task: float
    """Accuracy of taking, for each task, the better side: chosen on these very items, so optimistic."""
    detectable_difference: float
    """Difference that 80 % of such comparisons would find, at this n and this share of discordant items."""
    by_task: tuple[GroupComparison, ...]
    by_category: tuple[GroupComparison, ...]


class _Pair(NamedTuple):
    id: str
    task: str
    category: str
    cluster: str
    right_a: bool
    right_b: bool

    @property
    def difference(self) -> int:
        """Right of A less right of B."""
        return self.right_a - self.right_b


def compare(a: StoredResult, b: StoredResult, scorer: ScoreFunction = "strict") -> Comparison:
    """Compare two results; raises `BadConfig` where they share no item, or items of one id differ."""
    rows_a, rows_b = ({row.verdict.id: row for row in side.rows} for side in (a, b))
    shared = [id_ for id_ in rows_a if id_ in rows_b]
    if len(shared) < 2:
        raise BadConfig(
            f"{a.name!r} and {b.name!r} share {format_count(len(shared), 'item')}; results over the same "
            "benchmark can be compared."
        )
    if rows_a[shared[0]].answer is None:
        raise BadConfig(f"The answers of {a.name!r} are withheld: nothing says which of the two is right.")
    pairs = [_pair(rows_a[id_], rows_b[id_], scorer) for id_ in shared]
    sides = [_make_side(side, rows, shared, scorer) for side, rows in ((a, rows_a), (b, rows_b))]
    if a.name == b.name:
        sides = [side.model_copy(update={"name": stored.key}) for side, stored in zip(sides, (a, b), strict=True)]
    n, only_a, only_b = len(pairs), _count(pairs, (True, False)), _count(pairs, (False, True))
    difference = compute_paired_difference([pair.difference for pair in pairs])
    num_clusters = _count_shared(pairs)
    clustered = _compute_clustered(pairs) if num_clusters and num_clusters > 1 else None
    return Comparison(
        scorer=scorer,
        n=n,
        a=sides[0],
        b=sides[1],
        both_right=_count(pairs, (True, True)),
        only_a=only_a,
        only_b=only_b,
        both_wrong=_count(pairs, (False, False)),
        mcnemar_p=compute_mcnemar_p(only_a, only_b),
        difference=difference.value,
        se=difference.se,
        ci_95=(clustered or difference).ci_95,
        clustered_se=clustered.se if clustered else None,
        clustered_p=compute_clustered_p(clustered, num_clusters) if clustered and num_clusters else None,
        num_clusters=num_clusters,
        cohens_h=compute_cohens_h(sides[0].correct / n, sides[1].correct / n),
        oracle=(n - _count(pairs, (False, False))) / n,
        switch_by_task=_count_switched(pairs) / n,
        detectable_difference=compute_detectable_difference(n, max(1, only_a + only_b) / n),
        by_task=_compare_groups(pairs, [pair.task for pair in pairs]),
        by_category=_compare_groups(pairs, [pair.category for pair in pairs]),
    )


def require_same(a: StoredRow, b: StoredRow) -> None:
    """Raise `BadConfig` where two rows of one id are about different questions."""
    for field in ("question", "choices", "answer"):
        values = (getattr(a, field), getattr(b, field))
        if values[0] != values[1] and "" not in values:  # a prediction file need not repeat the question
            raise BadConfig(
                f"Item {a.verdict.id!r} differs in field {field!r}: {values[0]!r} and {values[1]!r}; "
                "the two are about different versions of the benchmark."
            )


def _pair(a: StoredRow, b: StoredRow, scorer: ScoreFunction) -> _Pair:
    require_same(a, b)
    verdict = a.verdict
    return _Pair(
        id=verdict.id,
        task=verdict.task,
        category=verdict.category,
        cluster=verdict.cluster or verdict.id,
        right_a=_is_right(a, scorer),
        right_b=_is_right(b, scorer),
    )


def _is_right(row: StoredRow, scorer: ScoreFunction) -> bool:
    return row.verdict.correct_strict if scorer == "strict" else row.verdict.correct_official


def _make_side(stored: StoredResult, rows: dict[str, StoredRow], shared: Sequence[str], scorer: ScoreFunction) -> Side:
    paired = [rows[id_] for id_ in shared]
    correct = sum(_is_right(row, scorer) for row in paired)
    return Side(
        name=stored.name,
        correct=correct,
        wilson_95=compute_wilson_interval(correct, len(paired)),
        unread=sum(row.verdict.unread for row in paired),
        failed=sum(row.verdict.failed for row in paired),
        unpaired=len(rows) - len(paired),
    )


def _count(pairs: Sequence[_Pair], rights: tuple[bool, bool]) -> int:
    return sum((pair.right_a, pair.right_b) == rights for pair in pairs)


def _count_shared(pairs: Sequence[_Pair]) -> int | None:
    """Return the number of sources; None where no two items share one."""
    num = len({pair.cluster for pair in pairs})
    return None if num == len(pairs) else num


def _compute_clustered(pairs: Sequence[_Pair]) -> Difference:
    return compute_paired_difference([pair.difference for pair in pairs], [pair.cluster for pair in pairs])


def group_by_name(items: Sequence[AnyItem], names: Sequence[str]) -> dict[str, list[AnyItem]]:
    """Return the items by the name of each, in the order of the names; those without one are under ""."""
    groups: defaultdict[str, list[AnyItem]] = defaultdict(list)
    for item, name in zip(items, names, strict=True):
        groups[name].append(item)
    return {name: groups[name] for name in sorted(groups)}


def _count_switched(pairs: Sequence[_Pair]) -> int:
    groups = group_by_name(pairs, [pair.task for pair in pairs]).values()
    return sum(max(sum(p.right_a for p in group), sum(p.right_b for p in group)) for group in groups)


def _compare_groups(pairs: Sequence[_Pair], names: Sequence[str]) -> tuple[GroupComparison, ...]:
    """Compare within each group that has a name; Holm's correction is over all of them."""
    groups = {name: group for name, group in group_by_name(pairs, names).items() if name}
    tests = [compute_mcnemar_p(_count(group, (True, False)), _count(group, (False, True))) for group in groups.values()]
    adjusted = apply_holm_correction(tests)
    return tuple(
        _group(name, group, p, p_holm) for (name, group), p, p_holm in zip(groups.items(), tests, adjusted, strict=True)
    )


def _group(name: str, pairs: Sequence[_Pair], p: float, p_holm: float) -> GroupComparison:
    differences = [pair.difference for pair in pairs]
    num_clusters = len({pair.cluster for pair in pairs})
    return GroupComparison(
        name=name,
        n=len(pairs),
        correct_a=sum(pair.right_a for pair in pairs),
        correct_b=sum(pair.right_b for pair in pairs),
        difference=sum(differences) / len(differences),
        ci_95=_compute_clustered(pairs).ci_95 if num_clusters > 1 else None,
        p=p,
        p_holm=p_holm,
    )
