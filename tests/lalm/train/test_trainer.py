"""A step: its learning rate, and what it does when the loss is not a number."""

from collections.abc import Callable
from pathlib import Path

import pytest
from safetensors.torch import load_file

from lalm.train import checkpoint, cli
from lalm.train.trainer import compute_learning_rate

MakeRun = Callable[..., Path]


def test_the_learning_rate_warms_up_and_falls_as_a_cosine() -> None:
    rates = [compute_learning_rate(2.0, step, 4, 12) for step in range(13)]
    assert rates[:5] == [0.5, 1.0, 1.5, 2.0, 2.0]
    assert rates[8] == pytest.approx(1.0)
    assert rates[12] == pytest.approx(0.0)
    assert compute_learning_rate(1.0, 0, 0, 0) == 1.0


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_clips(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_run(optimizer={"num_steps": 9, "warmup_steps": 0, "learning_rate": 1e37, "lora_learning_rate": 1e37})
    assert cli.main([str(config), str(tmp_path / "run")]) == 2
    error = capsys.readouterr().err
    assert "is not a number, over the rows about " in error
    assert ".wav" in error
    assert "Lower optimizer.learning_rate" in error


def test_an_update_that_ruins_the_model_is_not_saved(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ruinous = {"num_steps": 1, "warmup_steps": 0, "learning_rate": 1e30, "lora_learning_rate": 1e30}
    assert cli.main([str(make_run(optimizer=ruinous)), str(tmp_path / "run")]) == 2
    assert "The validation loss is not a number" in capsys.readouterr().err
    weights = load_file(tmp_path / "run" / checkpoint.WEIGHTS)
    assert all(value.isfinite().all() and value.abs().max() < 1e6 for value in weights.values())
