"""Accuracy against the budget of follow-up questions, out of one run: answers keep their drafts.

A run with `--budget 4` answers what it would have answered with 0, 1, 2 and 3 as well, because a smaller budget asks
the same questions, only fewer. Only a tool that costs more than is left is passed over earlier with a smaller budget.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from agents.routing.features import ASKS
from eval.scoring.intervals import Interval, compute_wilson_interval
from eval.scoring.statistics import compute_mcnemar_p
from eval.store.records import Prediction
from services.errors import BadConfig
from services.types import Value

ACTIONS_FILE = "actions.json"  # of a run folder
GROUPS = ("how many", "order")  # of `ASKS`: what a general caption omits


class AtBudget(NamedTuple):
    """Accuracy within a budget."""

    group: str
    budget: int
    n: int
    num_correct: int
    gained: int
    """Right here and wrong without follow-ups."""
    lost: int
    actions: float
    """Mean spent per question."""

    @property
    def accuracy(self) -> float:
        """In [0, 1]."""
        return self.num_correct / self.n

    @property
    def interval(self) -> Interval:
        """Wilson's 95 % interval."""
        return compute_wilson_interval(self.num_correct, self.n)

    @property
    def p(self) -> float:
        """Exact McNemar test against no follow-ups."""
        return compute_mcnemar_p(self.gained, self.lost)


class ActionsRow(Value):
    """Accuracy on the items on which one number of actions was used, set beside hearing once on the same items."""

    actions: int
    n: int
    num_correct: int
    num_correct_once: int
    """Right in the first reading, before any action."""
    num_correct_lalm: int | None = None
    """Right by a LALM alone; None where no run of one was named."""
    gained: int
    """Right only after the actions."""
    lost: int
    """Right only before them."""
    p: float
    """Exact McNemar test between the two."""


class ActionsTable(Value):
    """Accuracy by number of actions used, as `actions.json` of a run folder holds it."""

    rows: tuple[ActionsRow, ...]
    """In ascending order of actions; numbers that were never used are left out."""


class BudgetedAnswer(NamedTuple):
    """What an answer was within a budget."""

    is_right: bool
    actions: int


def compute_budget_curves(predictions: Iterable[Prediction], budget: int) -> tuple[AtBudget, ...]:
    """Return the accuracy at each budget up to this, over all questions and over those on number and on order."""
    rows = list(predictions)
    groups = {"all": rows} | {name: [row for row in rows if ASKS[name].search(row.question.lower())] for name in GROUPS}
    return tuple(_measure_at(name, some, spent) for name, some in groups.items() if some for spent in range(budget + 1))


def _measure_at(group: str, rows: Sequence[Prediction], budget: int) -> AtBudget:
    here, before = [find_step(row, budget) for row in rows], [find_step(row, 0) for row in rows]
    pairs = list(zip(here, before, strict=True))
    return AtBudget(
        group,
        budget,
        n=len(rows),
        num_correct=sum(step.is_right for step in here),
        gained=sum(step.is_right and not first.is_right for step, first in pairs),
        lost=sum(first.is_right and not step.is_right for step, first in pairs),
        actions=sum(step.actions for step in here) / len(rows),
    )


def compare_by_actions(
    predictions: Iterable[Prediction], budget: int, lalm: Iterable[Prediction] | None = None
) -> ActionsTable:
    """Compare the answers within a budget with the first readings, by how many actions each item took.

    `lalm` are the predictions of a LALM alone; `BadConfig` where one of the items is not among them.
    """
    alone = None if lalm is None else {row.id: row.correct_strict for row in lalm}
    by_actions: dict[int, list[Prediction]] = {}
    for row in predictions:
        if alone is not None and row.id not in alone:
            raise BadConfig(f"The LALM's run lacks item {row.id!r}: name a run over the same questions.")
        by_actions.setdefault(find_step(row, budget).actions, []).append(row)
    return ActionsTable(rows=tuple(_compare(by_actions[actions], budget, alone) for actions in sorted(by_actions)))


def _compare(rows: Sequence[Prediction], budget: int, alone: Mapping[str, bool] | None) -> ActionsRow:
    pairs = [(find_step(row, budget).is_right, find_step(row, 0).is_right) for row in rows]
    gained, lost = (sum(pair == only for pair in pairs) for only in ((True, False), (False, True)))
    return ActionsRow(
        actions=find_step(rows[0], budget).actions,
        n=len(pairs),
        num_correct=sum(after for after, _ in pairs),
        num_correct_once=sum(before for _, before in pairs),
        num_correct_lalm=None if alone is None else sum(alone[row.id] for row in rows),
        gained=gained,
        lost=lost,
        p=compute_mcnemar_p(gained, lost),
    )


def find_step(row: Prediction, budget: int) -> BudgetedAnswer:
    """Return what the last draft within the budget was; an answer without drafts was the same throughout."""
    drafts = [draft for draft in row.response.drafts if draft.actions <= budget] if row.response else []
    if not drafts:
        return BudgetedAnswer(row.correct_strict, 0)
    choice = drafts[-1].choice
    return BudgetedAnswer(choice is not None and choice.text == row.answer, drafts[-1].actions)
