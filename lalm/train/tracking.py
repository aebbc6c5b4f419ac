"""Experiment tracking of a training: TensorBoard, Weights & Biases, MLflow.

TensorBoard is written wherever it is installed; the others are chosen by name. Each reads its destination from its own
settings (WANDB_MODE, MLFLOW_TRACKING_URI and so on).
"""

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol

from lalm.train.config import TrainConfig
from services.telemetry.trackers import PROJECT, TrackerName, import_tracker


class StepTracker(Protocol):
    """Logs the metrics of each step."""

    def add(self, number: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of step `number`."""

    def close(self) -> None:
        """End the log."""


def open_trackers(
    names: Sequence[TrackerName], folder: Path, config: TrainConfig, *, done: int
) -> tuple[StepTracker, ...]:
    """Open the trackers of a run.

    Args:
        names: trackers besides TensorBoard.
        folder: of the run; its name becomes the name of the run there.
        config: logged with it.
        done: completed steps, which a resumed run does not repeat.
    """
    written = (TensorboardTracker(folder, done),) if find_spec("tensorboard") else ()
    return (*written, *(OPENERS[name](folder, config) for name in names))


class TensorboardTracker:
    """Writes TensorBoard's event files into the run folder."""

    def __init__(self, folder: Path, done: int) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=done)

    def add(self, number: int, metrics: Mapping[str, float]) -> None:
        """Write the metrics of a step."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, value, number)

    def close(self) -> None:
        """End the log."""
        self._writer.close()


class WandbTracker:
    """Logs to Weights & Biases; a resumed run goes on under the same id."""

    def __init__(self, folder: Path, config: TrainConfig) -> None:
        package: Any = import_tracker("wandb")
        self._run = package.init(
            project=PROJECT,
            name=folder.name,
            id=folder.name,
            resume="allow",
            config=config.model_dump(mode="json"),
            dir=str(folder),
        )

    def add(self, number: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of a step."""
        self._run.log(dict(metrics), step=number)

    def close(self) -> None:
        """End the log."""
        self._run.finish()


class MlflowTracker:
    """Logs to MLflow."""

    def __init__(self, folder: Path, config: TrainConfig) -> None:
        self._package: Any = import_tracker("mlflow")
        self._package.set_experiment(PROJECT)
        self._package.start_run(run_name=folder.name)
        self._package.log_dict(config.model_dump(mode="json"), "config.yaml")

    def add(self, number: int, metrics: Mapping[str, float]) -> None:
        """Log the metrics of a step."""
        self._package.log_metrics(dict(metrics), step=number)

    def close(self) -> None:
        """End the log."""
        self._package.end_run()


OPENERS: Mapping[TrackerName, Callable[[Path, TrainConfig], StepTracker]] = {
    "mlflow": MlflowTracker,
    "wandb": WandbTracker,
}
