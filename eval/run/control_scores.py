"""Scores of the controls, from the predictions on disk."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from eval.run.controls import ASK_NO_MODEL, CONTROLS, ROTATION
from eval.scoring.scoring import ControlScore, Verdict, score
from eval.store.records import Prediction
from eval.store.stored import read_predictions

CONTROLS_FOLDER = "controls"


def score_controls(out: Path) -> dict[str, ControlScore]:
    """Score the finished controls of a run folder, those of earlier commands too."""
    finished = [name for name in CONTROLS if (out / CONTROLS_FOLDER / name / "summary.json").is_file()]
    if not finished:
        return {}
    chosen = {prediction.id: _find_chosen(prediction) for prediction in read_predictions(out)}
    return {name: _score(name, list(read_predictions(out / CONTROLS_FOLDER / name)), chosen) for name in finished}


def _score(name: str, predictions: Sequence[Prediction], chosen: dict[str, str | None]) -> ControlScore:
    if name == "circular":
        return _score_circular(predictions)
    counted = dict(score([prediction.verdict for prediction in predictions]))
    if name in ASK_NO_MODEL:
        return ControlScore(**counted)
    pairs = [
        (_find_chosen(prediction), chosen[prediction.id]) for prediction in predictions if prediction.failed is None
    ]
    return ControlScore(**counted, changed=sum(now != then for now, then in pairs), compared=len(pairs))


def _score_circular(predictions: Sequence[Prediction]) -> ControlScore:
    rotations: defaultdict[str, list[Prediction]] = defaultdict(list)
    for prediction in predictions:
        rotations[prediction.id.rpartition(ROTATION)[0]].append(prediction)
    return ControlScore(
        **dict(score([_join_rotations(same) for same in rotations.values()])),
        consistent=sum(
            len({_find_chosen(one) for one in same}) == 1 and not _is_any_lost(same) for same in rotations.values()
        ),
        mean_strict=sum(prediction.correct_strict for prediction in predictions) / len(predictions),
    )


def _join_rotations(rotations: Sequence[Prediction]) -> Verdict:
    """Return one verdict over all rotations of an item: right only if each is."""
    failed = any(one.failed is not None for one in rotations)
    return rotations[0].verdict._replace(
        correct_strict=all(one.correct_strict for one in rotations),
        correct_official=all(one.correct_official for one in rotations),
        unread=not failed and any(one.unread for one in rotations),
        failed=failed,
    )


def _is_any_lost(rotations: Sequence[Prediction]) -> bool:
    return any(one.failed is not None or one.unread for one in rotations)


def _find_chosen(prediction: Prediction) -> str | None:
    """Return the text of the option that was chosen; None where none was."""
    return None if prediction.unread or prediction.failed is not None else prediction.model_prediction
