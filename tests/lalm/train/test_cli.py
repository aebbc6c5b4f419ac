"""The command line of training: what is wrong is one line before PyTorch is imported, and Ctrl-C says what is kept."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from lalm.train import cli
from lalm.train.trainer import Trainer

MakeRun = Callable[..., Path]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last", "kept"), [(1, "The last checkpoint is kept in '"), (None, "There was no checkpoint yet; ")]
)
def test_ctrl_c_ends_with_130_and_one_line(
    make_run: MakeRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    last: int | None,
    kept: str,
) -> None:
    def interrupted(*_: object) -> object:
        raise KeyboardInterrupt

    monkeypatch.setattr(Trainer, "measure_step" if last is None else "step", interrupted)
    assert cli.main([str(make_run()), str(tmp_path / "run")]) == 130
    error = capsys.readouterr().err
    assert f"lalm.train: interrupted. {kept}" in error
    assert "the same command" in error
    assert error.splitlines()[-1].startswith("lalm.train: interrupted.")


@pytest.mark.slow
def test_a_misspelt_key_is_one_line_and_exit_2(make_run: MakeRun, tmp_path: Path) -> None:
    config = make_run()
    config.write_text(config.read_text().replace("num_queries", "num_querys"))
    command = [sys.executable, "-X", "importtime", "-m", "lalm.train", str(config), str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    imports = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    assert not any(line.endswith(" torch") for line in imports)
    assert len(done.stderr.splitlines()) == len(imports) + 1
    assert "unknown key 'model.connector.num_querys'; did you mean 'num_queries'?" in done.stderr
    assert not (tmp_path / "run").exists()
