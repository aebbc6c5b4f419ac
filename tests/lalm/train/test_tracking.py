"""Trackers get each step. Weights & Biases and MLflow are stand-ins that write what they are told."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lalm.train.config import TrainConfig
from lalm.train.tracking import MlflowTracker, WandbTracker, open_trackers

WANDB = """
import json, os
class Run:
    def __init__(self, options): self.path = os.path.join(options["dir"], "wandb.jsonl"); self.write(options)
    def write(self, line): open(self.path, "a").write(json.dumps(line) + "\\n")
    def log(self, metrics, step): self.write({"step": step, **metrics})
    def finish(self): self.write("end")
def init(**options): return Run(options)
"""
MLFLOW = """
said = []
def set_experiment(name): said.append(["experiment", name])
def start_run(run_name): said.append(["start", run_name])
def log_dict(config, file): said.append(["config", config["name"], file])
def log_metrics(metrics, step): said.append(["step", step, metrics])
def end_run(): said.append(["end"])
"""
CONFIG = TrainConfig.model_validate(
    {
        "name": "toy",
        "model": {"encoder": "e", "backbone": "b"},
        "data": {"files": ["rows.jsonl"], "audio_root": "."},
        "optimizer": {"num_steps": 1},
    }
)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, code in (("wandb", WANDB), ("mlflow", MLFLOW)):
        monkeypatch.delitem(sys.modules, name, raising=False)
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    for name in ("wandb", "mlflow"):
        sys.modules.pop(name, None)


def test_tensorboard_is_written_only_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lalm.train.tracking.find_spec", lambda name: None)
    assert open_trackers((), Path(), CONFIG, done=0) == ()


@pytest.mark.usefixtures("installed")
def test_wandb_gets_configuration_and_steps_under_an_id_that_a_resumed_run_keeps(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    tracker = WandbTracker(folder, CONFIG)
    tracker.add(3, {"loss": 0.5})
    tracker.close()
    options, step, end = map(json.loads, (folder / "wandb.jsonl").read_text().splitlines())
    assert (options["project"], options["id"], options["resume"]) == ("earwitness", "run", "allow")
    assert options["config"]["optimizer"]["num_steps"] == 1
    assert (step, end) == ({"step": 3, "loss": 0.5}, "end")


@pytest.mark.usefixtures("installed")
def test_mlflow_gets_configuration_and_steps(tmp_path: Path) -> None:
    tracker = MlflowTracker(tmp_path / "run", CONFIG)
    tracker.add(3, {"loss": 0.5})
    tracker.close()
    assert sys.modules["mlflow"].said == [
        ["experiment", "earwitness"],
        ["start", "run"],
        ["config", "toy", "config.yaml"],
        ["step", 3, {"loss": 0.5}],
        ["end"],
    ]
