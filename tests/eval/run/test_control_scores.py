from pathlib import Path

import pytest
from rich.console import Console

from eval.display.results import print_results
from eval.run.control_scores import score_controls
from eval.run.controls import ROTATION
from eval.scoring.scoring import summarise
from eval.store.records import Prediction

CHOICES = ("Man", "Woman")


def prediction(id: str, chosen: str | None, *, failed: str | None = None) -> Prediction:
    return Prediction(
        id=id,
        question="?",
        choices=CHOICES,
        answer="Man",
        task="speech",
        model_output=chosen or "who knows",
        model_prediction=chosen or "who knows",
        correct_strict=chosen == "Man",
        correct_official=chosen == "Man",
        unread=chosen is None and failed is None,
        failed=failed,
        response=None,
        took_s=0.1,
        clock_s=1.0,
    )


def write(folder: Path, *predictions: Prediction, finished: bool = True) -> None:
    folder.mkdir(parents=True)
    lines = "".join(one.model_dump_json() + "\n" for one in predictions)
    (folder / "predictions.jsonl").write_text(lines)
    if finished:
        (folder / "summary.json").write_text("{}")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    write(folder, prediction("1", "Man"), prediction("2", "Woman"), prediction("3", None), prediction("4", "Man"))
    return folder


def test_changed_counts_other_choices_among_those_that_came(run: Path) -> None:
    write(
        run / "controls" / "no-audio",
        prediction("1", "Woman"),
        prediction("2", "Woman"),
        prediction("3", "Man"),
        prediction("4", None, failed="gone"),
    )
    score = score_controls(run)["no-audio"]
    assert (score.n, score.correct_strict, score.failed) == (4, 1, 1)
    assert (score.changed, score.compared) == (2, 3)
    assert score.consistent is None
    # The items are those of the run: what it alone has right, and what the control alone has.
    assert score.against_run is not None
    assert (score.against_run.n, score.against_run.only_run, score.against_run.only_control) == (4, 2, 1)


def test_circular_is_right_only_if_every_rotation_is(run: Path) -> None:
    answers = {"1": ("Man", "Man"), "2": ("Woman", "Woman"), "3": ("Man", "Woman"), "4": ("Man", None)}
    rotations = [
        prediction(f"{name}{ROTATION}{by}", chosen) for name, both in answers.items() for by, chosen in enumerate(both)
    ]
    write(run / "controls" / "circular", *rotations)
    score = score_controls(run)["circular"]
    assert (score.n, score.correct_strict, score.unread, score.consistent) == (4, 1, 1, 2)
    assert score.mean_strict == 4 / 8
    assert score.changed is None


def test_rotations_without_answers_agree_or_not_and_none_is_right(tmp_path: Path) -> None:
    withheld = {"answer": None, "correct_strict": False}
    asked = [prediction(f"1{ROTATION}{by}", "Man").model_copy(update=withheld) for by in range(2)]
    write(tmp_path / "run", prediction("1", "Man").model_copy(update=withheld))
    write(tmp_path / "run" / "controls" / "circular", *asked)
    score = score_controls(tmp_path / "run")["circular"]
    assert (score.consistent, score.mean_strict, score.withheld) == (1, None, 1)
    shown = Console(width=200)
    with shown.capture() as caught:
        print_results("r", summarise([]).model_copy(update={"n": 1, "controls": {"circular": score}}), shown)
    assert "circular: 1 of 1 item (100.0%) got the same option in every rotation." in caught.get()


def test_rules_are_not_compared_with_the_run(run: Path) -> None:
    write(run / "controls" / "constant-first", prediction("1", "Man"))
    score = score_controls(run)["constant-first"]
    assert (score.n, score.changed) == (1, None)


def test_an_unfinished_control_has_no_score(run: Path) -> None:
    write(run / "controls" / "longest", prediction("1", "Man"), finished=False)
    assert score_controls(run) == {}
