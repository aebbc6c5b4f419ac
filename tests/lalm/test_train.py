"""A run from configuration to weights: it goes on exactly, refuses what does not fit, and shares its steps."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lalm import checkpoint, train
from lalm.config import TrainConfig
from lalm.parallel import Processes
from lalm.trainer import Trainer
from lalm.yaml_config import read_config
from services.errors import BadConfig

MakeRun = Callable[..., Path]


def run(config: Path, folder: Path, *more: str) -> int:
    return train.main([str(config), str(folder), *more])


def metrics(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


class Killed(BaseException):
    """What a test stops a run with."""


def test_a_run_leaves_configuration_metrics_and_what_was_trained(make_run: MakeRun, tmp_path: Path) -> None:
    config, folder = make_run(), tmp_path / "run"
    assert run(config, folder) == 0
    assert {path.name for path in folder.iterdir() if path.suffix} >= {
        "config.yaml",
        "metrics.jsonl",
        "model.safetensors",
        "resume.safetensors",
    }
    steps = [line for line in metrics(folder) if "loss" in line]
    assert [line["number"] for line in steps] == [0, 1, 2, 3]
    assert all(line["rows_per_s"] > 0 and line["mfu"] > 0 for line in steps)
    assert [line["number"] for line in metrics(folder) if "validation_loss" in line] == [1, 3]
    names = load_file(folder / "model.safetensors").keys()
    assert all(name.startswith("connector.") or ".lora_" in name for name in names)


def test_training_lowers_the_loss(make_run: MakeRun, tmp_path: Path) -> None:
    config = make_run(optimizer={"num_steps": 25, "warmup_steps": 2, "learning_rate": 0.01, "lora_learning_rate": 0.05})
    assert run(config, tmp_path / "run") == 0
    losses = [line["loss"] for line in metrics(tmp_path / "run") if "loss" in line]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize("last", [1, 3])  # before the first checkpoint, and a step after it
def test_a_run_that_was_killed_goes_on_to_the_bit(
    make_run: MakeRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: int
) -> None:
    config = make_run(optimizer={"num_steps": 6, "warmup_steps": 2}, alignment={"num_steps": 2, "clips": 2})
    assert run(config, tmp_path / "whole") == 0

    step = Trainer.step

    def killed(self: Trainer, number: int, packs: object) -> object:
        if number == last:
            raise Killed
        return step(self, number, packs)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, "step", killed)
        with pytest.raises(Killed):
            run(config, tmp_path / "parts")
    torch.rand(5)
    aligned = (tmp_path / "parts" / "alignment.txt").stat().st_mtime_ns
    assert run(config, tmp_path / "parts") == 0
    assert (tmp_path / "parts" / "alignment.txt").stat().st_mtime_ns == aligned
    for name in ("model.safetensors", "resume.safetensors"):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "parts" / name).read_bytes()
    whole, parts = (
        [(line["number"], line["loss"]) for line in metrics(tmp_path / each) if "loss" in line]
        for each in ("whole", "parts")
    )
    assert whole == parts


def test_a_finished_run_stays_as_it_is(make_run: MakeRun, tmp_path: Path) -> None:
    config, folder = make_run(), tmp_path / "run"
    assert run(config, folder) == 0
    before = (folder / "model.safetensors").read_bytes(), metrics(folder)
    assert run(config, folder) == 0
    assert before == ((folder / "model.safetensors").read_bytes(), metrics(folder))


def test_a_run_begins_with_the_weights_of_another(make_run: MakeRun, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    assert run(make_run(), first) == 0
    slow = {"num_steps": 1, "learning_rate": 1e-12, "lora_learning_rate": 1e-12}
    assert run(make_run(start_from=str(first), optimizer=slow), second) == 0
    before, after = load_file(first / "model.safetensors"), load_file(second / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


def test_a_run_folder_of_another_configuration_is_refused(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert run(make_run(), folder) == 0
    assert run(make_run(seed=7), folder) == 2
    error = capsys.readouterr().err
    assert "seed was 42 and is now 7" in error
    assert "Name another folder, or remove this one." in error


def test_a_dry_run_says_what_it_takes_and_leaves_nothing(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(make_run(), tmp_path / "run", "--dry-run") == 0
    said = capsys.readouterr().out
    assert not (tmp_path / "run").exists()
    for word in ("Connector", "Adapters", "Backbone", "Memory", "GB frozen", "10 to train on about 5 clips", "4 steps"):
        assert word in said


def test_a_misspelt_key_is_one_line_and_exit_2(make_run: MakeRun, tmp_path: Path) -> None:
    config = make_run()
    config.write_text(config.read_text().replace("num_queries", "num_querys"))
    command = [sys.executable, "-m", "lalm.train", str(config), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "unknown key 'model.connector.num_querys'; did you mean 'num_queries'?" in done.stderr
    assert not (tmp_path / "run").exists()


def test_without_clips_held_back_no_validation_is_noted(make_run: MakeRun, tmp_path: Path) -> None:
    assert run(make_run(data__validation=0), tmp_path / "run") == 0
    assert not [line for line in metrics(tmp_path / "run") if "validation_loss" in line]


def torchrun(config: Path, folder: Path, num_processes: int) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(num_processes)]
    return subprocess.run(
        [*command, "-m", "lalm.train", str(config), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


@pytest.mark.parametrize("shard_backbone", [False, True])
def test_two_processes_train_as_one(make_run: MakeRun, tmp_path: Path, *, shard_backbone: bool) -> None:
    config = make_run(
        shard_backbone=shard_backbone,
        model__connector={"num_queries": 5, "num_layers": 1, "num_taps": 2, "ffn_width": 32, "dropout": 0},
        model__lora={"rank": 2, "alpha": 4, "dropout": 0},
        alignment={"num_steps": 2, "clips": 2},
        batch__sequences_per_step=3,
    )
    done = torchrun(config, tmp_path / "two", 2)
    assert done.returncode == 0, done.stderr
    assert run(config, tmp_path / "one") == 0
    keys = ("number", "loss", "validation_loss", "num_rows", "num_tokens", "num_replied", "num_segments", "grad_norm")
    for alone, shared in zip(metrics(tmp_path / "one"), metrics(tmp_path / "two"), strict=True):
        for key in alone.keys() & set(keys):
            assert shared[key] == pytest.approx(alone[key], rel=1e-4), key
    one, two = (load_file(tmp_path / each / checkpoint.WEIGHTS) for each in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-4)


def test_processes_without_work_are_refused(make_run: MakeRun) -> None:
    config = read_config(make_run(batch__sequences_per_step=1), TrainConfig)
    with pytest.raises(BadConfig, match=r"2 processes share the batch\.sequences_per_step=1 packed sequences"):
        train.check(config, Processes(0, 2, torch.device("cpu")))


def test_a_run_is_tracked_where_tensorboard_is_installed(make_run: MakeRun, tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    assert run(make_run(), tmp_path / "run") == 0
    events = accumulator.EventAccumulator(str(tmp_path / "run"))
    events.Reload()
    tracked = [event.value for event in events.Scalars("loss")]
    assert tracked == pytest.approx([line["loss"] for line in metrics(tmp_path / "run") if "loss" in line])
    assert [event.step for event in events.Scalars("validation_loss")] == [1, 3]
