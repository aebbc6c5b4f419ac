"""Trackers, by doubles, and by the packages where EARWITNESS_PEERS_PYTHON names a Python that has them."""

import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from eval.export.trackers import TRACKERS, TrackingFailed, track_run

PEERS = os.environ.get("EARWITNESS_PEERS_PYTHON")
ROOT = Path(__file__).parents[3]


def test_mlflow_gets_options_figures_and_files(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: dict[str, object] = {}
    double = ModuleType("mlflow")
    vars(double).update(
        set_experiment=lambda name: said.update(experiment=name),
        start_run=lambda run_name: nullcontext(said.update(name=run_name)),
        log_params=lambda params: said.update(params=params),
        log_metrics=lambda metrics: said.update(metrics=metrics),
        log_artifact=lambda file: said.setdefault(Path(file).name, file),
    )
    monkeypatch.setitem(sys.modules, "mlflow", double)
    track_run("mlflow", run)
    assert (said["experiment"], said["name"]) == ("earwitness", "run")
    params, metrics = said["params"], said["metrics"]
    assert isinstance(params, dict) and isinstance(metrics, dict)
    assert (params["llm"], params["llm_revision"], params["benchmark"]) == ("reader", "7", "made up")
    assert (metrics["all/strict"], metrics["music/strict"], metrics["failed"]) == (4 / 6, 2 / 3, 1.0)
    assert {"run.json", "summary.json"} <= said.keys()


def test_no_figure_stands_in_for_another(alike: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    figures: dict[str, float] = {}
    double = ModuleType("mlflow")
    ignored = dict.fromkeys(("set_experiment", "log_params", "log_artifact"), lambda *_: None)
    vars(double).update(ignored, start_run=lambda run_name: nullcontext(), log_metrics=figures.update)
    monkeypatch.setitem(sys.modules, "mlflow", double)
    track_run("mlflow", alike)
    strict = {name: value for name, value in figures.items() if name.endswith("/strict")}
    assert strict == {"all/strict": 4 / 6, "a_b/strict": 1.0, "a_b-2/strict": 0.5, "all-2/strict": 0.5}


def test_a_tracker_that_fails_leaves_the_run(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def init(**_: object) -> None:
        raise UsageError("no key")

    class UsageError(Exception):
        pass

    double = ModuleType("wandb")
    vars(double).update(init=init, errors=SimpleNamespace(Error=UsageError))
    monkeypatch.setitem(sys.modules, "wandb", double)
    with pytest.raises(TrackingFailed, match=r"wandb did not take the run \(no key\); it is in"):
        track_run("wandb", run)


@pytest.mark.skipif(not PEERS, reason="set EARWITNESS_PEERS_PYTHON to a Python with mlflow-skinny and wandb")
@pytest.mark.parametrize("name", TRACKERS)
def test_the_package_itself_takes_the_run(name: str, run: Path) -> None:
    script = "import sys; from pathlib import Path; from eval.export.trackers import track_run\n"
    script += "track_run(sys.argv[1], Path(sys.argv[2]))"
    places = {"MLFLOW_TRACKING_URI": f"file:{run}/mlruns", "WANDB_MODE": "offline", "WANDB_SILENT": "true"}
    paths = os.pathsep.join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
    environment = {**os.environ, **places, "PYTHONPATH": paths, "MLFLOW_ALLOW_FILE_STORE": "true"}
    command = [str(PEERS), "-c", script, name, str(run)]
    ended = subprocess.run(command, env=environment, cwd=run, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    if name == "mlflow":
        (metric,) = (run / "mlruns").glob("*/*/metrics/all/strict")
        assert float(metric.read_text().split()[1]) == pytest.approx(4 / 6)
    else:
        assert list((run / "wandb").glob("offline-run-*/*.wandb"))
