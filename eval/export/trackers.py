"""Experiment trackers: the options and figures of a finished run, logged to MLflow or to Weights & Biases.

Both are asked for by name and imported only then. Where they log to is theirs to know, by their own settings
(MLFLOW_TRACKING_URI, WANDB_MODE and so on); the run folder's files go with the figures.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from eval.export.finished_run import FinishedRun, name_tasks
from eval.scoring.scoring import ALL
from services.errors import EarwitnessError
from services.telemetry.trackers import PROJECT, import_tracker

FILES = ("run.json", "summary.json")


class TrackingFailed(EarwitnessError):
    """A tracker did not take a run, which is finished and on disk."""


def track_run(name: str, folder: Path) -> None:
    """Log a finished run to a tracker; `TrackingFailed` with its error, the run itself is kept."""
    run, package = FinishedRun.read(folder), import_tracker(name)
    expected: tuple[type[Exception], ...] = (OSError, RuntimeError, ValueError, *_find_errors(package))
    try:
        TRACKERS[name](package, run)
    except expected as error:
        raise TrackingFailed(
            f"{name} did not take the run ({' '.join(str(error).split())}); it is in {folder}."
        ) from error


def _find_errors(package: ModuleType) -> tuple[type[Exception], ...]:
    """Return the base class of a tracker's own errors."""
    named = getattr(package, "errors", None) or getattr(package, "exceptions", None)
    found = getattr(named, "Error", None) or getattr(named, "MlflowException", None)
    return (found,) if isinstance(found, type) and issubclass(found, Exception) else ()


def _log_to_mlflow(mlflow: Any, run: FinishedRun) -> None:  # noqa: ANN401 - a package without types here
    mlflow.set_experiment(PROJECT)
    with mlflow.start_run(run_name=run.folder.name):
        mlflow.log_params(_list_options(run))
        mlflow.log_metrics(_list_figures(run))
        for file in FILES:
            mlflow.log_artifact(str(run.folder / file))


def _log_to_wandb(wandb: Any, run: FinishedRun) -> None:  # noqa: ANN401
    logged = wandb.init(project=PROJECT, name=run.folder.name, config=_list_options(run), dir=str(run.folder))
    logged.log(_list_figures(run))
    logged.finish()


TRACKERS: Mapping[str, Callable[[Any, FinishedRun], None]] = {"mlflow": _log_to_mlflow, "wandb": _log_to_wandb}


def _list_options(run: FinishedRun) -> dict[str, str]:
    options = run.record.options.model_dump(exclude_none=True)
    models = {f"{model.role}_revision": model.revision for model in run.record.models}
    commit = {"commit": run.record.environments[0].commit or ""}
    return {name: str(value) for name, value in (options | models | commit).items()}


def _list_figures(run: FinishedRun) -> dict[str, float]:
    summary = run.summary
    figures = {name: float(getattr(summary, name)) for name in ("n", "unread", "failed", "wall_s", "mean_took_s")}
    figures |= {"prompt_tokens": float(summary.prompt_tokens), "completion_tokens": float(summary.completion_tokens)}
    named = name_tasks(summary.by_task, ALL)
    scores = {ALL: summary, **{named[task]: score for task, score in summary.by_task.items()}}
    for task, score in scores.items():  # a name that is also another's folder breaks MLflow's store of files
        for metric, is_official in (("strict", False), ("official", True)):
            if share := run.measure(score, is_official=is_official):
                figures[f"{task}/{metric}"] = share.value
    if summary.repeats:
        figures |= {"repeats/mean": summary.repeats.mean, "repeats/sd": summary.repeats.sd}
    return figures
