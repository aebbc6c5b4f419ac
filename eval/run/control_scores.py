"""Scores of the controls, from the predictions on disk."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Self

from eval.run.controls import ASK_NO_MODEL, CONTROLS, ROTATION
from eval.scoring.scoring import ControlScore, ControlTest, Verdict, score, score_tasks
from eval.scoring.statistics import compute_mcnemar_p
from eval.store.records import Prediction
from eval.store.stored import read_predictions

CONTROLS_FOLDER = "controls"


def score_controls(out: Path) -> dict[str, ControlScore]:
    """Score the finished controls of a run folder, those of earlier commands too."""
    finished = [name for name in CONTROLS if (out / CONTROLS_FOLDER / name / "summary.json").is_file()]
    if not finished:
        return {}
    run = {prediction.id: _ItemOutcome.from_prediction(prediction) for prediction in read_predictions(out)}
    return {name: _score(name, list(read_predictions(out / CONTROLS_FOLDER / name)), run) for name in finished}


class _ItemOutcome(NamedTuple):
    """What became of an item in the run itself."""

    chosen: str | None
    is_right: bool

    @classmethod
    def from_prediction(cls, prediction: Prediction) -> Self:
        return cls(prediction.reading, prediction.correct_strict)


def _score(name: str, predictions: Sequence[Prediction], run: Mapping[str, _ItemOutcome]) -> ControlScore:
    if name == "circular":
        return _score_circular(predictions, run)
    counted = _count([prediction.verdict for prediction in predictions], run)
    if name in ASK_NO_MODEL:
        return counted
    pairs = [(prediction.reading, run[prediction.id].chosen) for prediction in predictions if prediction.failed is None]
    changed = sum(now != then for now, then in pairs)
    return counted.model_copy(update={"changed": changed, "compared": len(pairs)})


def _count(verdicts: list[Verdict], run: Mapping[str, _ItemOutcome]) -> ControlScore:
    """Count a control's verdicts, and test them against the run's on the same items."""
    pairs = [(run[one.id].is_right, one.correct_strict) for one in verdicts if one.id in run and not one.withheld]
    only_run, only_control = pairs.count((True, False)), pairs.count((False, True))
    test = ControlTest(
        n=len(pairs),
        only_run=only_run,
        only_control=only_control,
        mcnemar_p=compute_mcnemar_p(only_run, only_control),
    )
    return ControlScore(**dict(score(verdicts)), by_task=score_tasks(verdicts), against_run=test if pairs else None)


def _score_circular(predictions: Sequence[Prediction], run: Mapping[str, _ItemOutcome]) -> ControlScore:
    rotations: defaultdict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        rotations[prediction.id.rpartition(ROTATION)[0]].append(prediction)
    counted = _count([_join_rotations(item_id, same) for item_id, same in rotations.items()], run)
    is_same = [len({one.reading for one in same}) == 1 and not _is_any_lost(same) for same in rotations.values()]
    scored = [prediction.correct_strict for prediction in predictions if prediction.answer is not None]
    mean = sum(scored) / len(scored) if scored else None
    return counted.model_copy(update={"consistent": sum(is_same), "mean_strict": mean})


def _join_rotations(item_id: str, rotations: Sequence[Prediction]) -> Verdict:
    """Return one verdict over all rotations of an item: right only if each is."""
    failed = any(one.failed is not None for one in rotations)
    return rotations[0].verdict._replace(
        id=item_id,
        correct_strict=all(one.correct_strict for one in rotations),
        correct_official=all(one.correct_official for one in rotations),
        unread=not failed and any(one.unread for one in rotations),
        failed=failed,
    )


def _is_any_lost(rotations: Sequence[Prediction]) -> bool:
    return any(one.failed is not None or one.unread for one in rotations)
