from collections.abc import Sequence
from pathlib import Path

import pytest
from rich.console import Console

from eval.analysis.budget import compare_by_actions, compute_budget_curves
from eval.benchmarks.benchmark import Item
from eval.display.budget import draw_budget_curves, print_actions, print_budget_curves
from eval.store.records import Prediction, judge_answer
from services.types import Answer, Choice, Draft

OPTIONS = ("two", "three")


def predicted(question: str, drafts: Sequence[tuple[int, str]], last: str) -> Prediction:
    """Return a prediction whose right answer is "two"."""
    item = Item.model_validate(
        {"id": question, "question": question, "choices": OPTIONS, "answer": "two", "task": "sound"}
    )
    answer = Answer(
        question_id=item.id,
        reply="",
        choice=Choice(letter="A", text=last),
        path="cascade",
        drafts=tuple(Draft(actions=spent, choice=Choice(letter="A", text=text)) for spent, text in drafts),
    )
    return judge_answer(item, answer, None, took_s=1.0, clock_s=1.0)


ROWS = (
    predicted("How many knocks?", ((0, "three"), (1, "two")), "two"),
    predicted("How many barks?", ((0, "two"), (2, "three")), "three"),
    predicted("Which sound is heard first?", ((0, "three"), (1, "three"), (2, "two")), "two"),
    predicted("Which sound?", (), "two"),
)


def test_each_budget_has_the_accuracy_of_the_answers_that_it_allows() -> None:
    every = [one for one in compute_budget_curves(ROWS, 2) if one.group == "all"]
    assert [one.accuracy for one in every] == [0.5, 0.75, 0.75]
    assert [(one.gained, one.lost) for one in every] == [(0, 0), (1, 0), (2, 1)]
    assert [one.actions for one in every] == [0, 0.5, 1.25]


def test_counts_and_orders_are_shown_by_themselves() -> None:
    found = {(one.group, one.budget): one for one in compute_budget_curves(ROWS, 2)}
    assert found["how many", 1].accuracy == 1 and found["how many", 1].n == 2
    assert found["order", 1].accuracy == 0 and found["order", 2].accuracy == 1


def test_the_test_is_mcnemars() -> None:
    rows = [predicted(f"Which one, {number}?", ((0, "three"), (1, "two")), "two") for number in range(6)]
    assert compute_budget_curves(rows, 1)[-1].p == pytest.approx(2 / 2**6)


@pytest.mark.slow
def test_the_curve_is_drawn_and_printed(tmp_path: Path) -> None:
    found = compute_budget_curves(ROWS, 2)
    console = Console(record=True, file=(tmp_path / "out").open("w"))
    print_budget_curves(found, console)
    assert "how many" in console.export_text()
    drawn = draw_budget_curves(found, tmp_path).read_text()
    assert all(text in drawn for text in ("all (4)", "order (1)", "budget, actions"))


def test_items_are_set_beside_their_first_readings_by_the_actions_that_they_took(tmp_path: Path) -> None:
    found = compare_by_actions(ROWS, 2)
    shown = [(one.actions, one.n, one.num_correct, one.num_correct_once, one.gained, one.lost) for one in found.rows]
    assert shown == [(0, 1, 1, 1, 0, 0), (1, 1, 1, 0, 1, 0), (2, 2, 1, 1, 1, 1)]
    console = Console(record=True, file=(tmp_path / "out").open("w"))
    print_actions(found, console)
    assert "2\t2\t50.0\t50.0\t1\t1\t1" in console.export_text()
