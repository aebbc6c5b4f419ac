"""A run from configuration to weights: it goes on exactly, refuses what does not fit, and shares its steps."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from filelock import FileLock
from safetensors.torch import load_file

from lalm.train import cli, run_files
from lalm.train.trainer import Trainer

MakeRun = Callable[..., Path]


def run(config: Path, folder: Path, *more: str) -> int:
    return cli.main([str(config), str(folder), *more])


def metrics(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


class Killed(BaseException):
    """What a test stops a run with."""


class FinishedRun(NamedTuple):
    """A configuration, and the folder of its run."""

    config: Path
    folder: Path


@pytest.fixture(scope="module")
def kept() -> list[FinishedRun]:
    """Return the list of the run that the first test trains for all."""
    return []


@pytest.fixture
def finished(kept: list[FinishedRun], make_run: MakeRun, tmp_path: Path) -> FinishedRun:
    """Return the run of a configuration that is left as it is made; its folder is a copy, which a test may change."""
    if not kept:
        kept.append(FinishedRun(make_run(), tmp_path / "kept"))
        assert run(*kept[0]) == 0
    return FinishedRun(kept[0].config, Path(shutil.copytree(kept[0].folder, tmp_path / "run")))


@pytest.mark.slow
def test_a_run_leaves_configuration_metrics_and_what_was_trained(finished: FinishedRun) -> None:
    folder = finished.folder
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


@pytest.mark.slow
def test_training_lowers_the_loss(make_run: MakeRun, tmp_path: Path) -> None:
    config = make_run(optimizer={"num_steps": 25, "warmup_steps": 2, "learning_rate": 0.01, "lora_learning_rate": 0.05})
    assert run(config, tmp_path / "run") == 0
    losses = [line["loss"] for line in metrics(tmp_path / "run") if "loss" in line]
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_finished_run_stays_as_it_is(finished: FinishedRun) -> None:
    config, folder = finished
    before = (folder / "model.safetensors").read_bytes(), metrics(folder)
    assert run(config, folder) == 0
    assert before == ((folder / "model.safetensors").read_bytes(), metrics(folder))


@pytest.mark.slow
def test_a_run_begins_with_the_weights_of_another(finished: FinishedRun, make_run: MakeRun, tmp_path: Path) -> None:
    first, second = finished.folder, tmp_path / "second"
    slow = {"num_steps": 1, "learning_rate": 1e-12, "lora_learning_rate": 1e-12}
    assert run(make_run(start_from=str(first), optimizer=slow), second) == 0
    before, after = load_file(first / "model.safetensors"), load_file(second / "model.safetensors")
    assert before.keys() == after.keys()
    assert all(torch.allclose(before[name], after[name], atol=1e-6) for name in before)


@pytest.mark.slow
def test_a_run_folder_of_another_configuration_is_refused(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    assert run(make_run(), folder) == 0
    assert run(make_run(seed=7), folder) == 2
    error = capsys.readouterr().err
    assert "seed was 42 and is now 7" in error
    assert "Name another folder, or remove this one." in error


@pytest.mark.slow
def test_a_dry_run_says_what_it_takes_and_leaves_nothing(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(make_run(), tmp_path / "run", "--dry-run") == 0
    said = capsys.readouterr().out
    assert not (tmp_path / "run").exists()
    for word in ("Connector", "Adapters", "Backbone", "Memory", "GB frozen", "10 to train on about 5 clips", "4 steps"):
        assert word in said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"start_from": "nowhere"}, "nowhere/model.safetensors' cannot be read"),
        ({"contrast": {"num_steps": 1}}, "no row about one clip has `labels`"),
    ],
)
def test_a_dry_run_refuses_what_the_run_would_begin_with(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], reason: str
) -> None:
    assert run(make_run(**changes), tmp_path / "run", "--dry-run") == 2
    assert reason in capsys.readouterr().err


@pytest.mark.slow
def test_a_training_says_first_what_it_takes_and_which_rows_it_drops(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_run()
    (tmp_path / "audio" / "1.wav").write_bytes(b"no sound")
    assert run(config, tmp_path / "run") == 0
    said = capsys.readouterr().out
    for words in ("Connector", "Memory", "4 steps, about", "8 to train on about 4 clips", "dropped: unreadable clip 2"):
        assert words in said


@pytest.mark.slow
def test_a_run_that_could_not_begin_leaves_nothing_that_refuses_the_next(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    connector = {"num_queries": 5, "num_layers": 1, "num_taps": 9, "ffn_width": 32}
    assert run(make_run(model__connector=connector), folder) == 2
    assert "num_taps=9 exceeds the 4 layers" in capsys.readouterr().err
    assert run(make_run(start_from=str(tmp_path / "nowhere")), folder) == 2
    assert not list(folder.iterdir())
    assert run(make_run(), folder) == 0


@pytest.mark.slow
def test_a_folder_of_other_files_is_refused_and_one_of_remains_is_not(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "notes.txt").touch()
    assert run(make_run(), folder) == 2
    assert f"'{folder}' holds files but no config.yaml, so it is not a run folder: name another one." in (
        capsys.readouterr().err
    )
    (folder / "notes.txt").rename(folder / ".config.yaml.0123abcd.partial")
    assert run(make_run(), folder) == 0


@pytest.mark.slow
def test_a_folder_in_which_another_process_trains_is_refused(
    finished: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    config, folder = finished
    capsys.readouterr()
    with FileLock(folder / ".lock"):
        assert run(config, folder) == 2
    error = capsys.readouterr().err
    assert f"Another process trains in the run folder '{folder}'" in error
    assert error.count("\n") == 1
    assert run(config, folder) == 0


@pytest.mark.slow
def test_what_a_killed_process_left_of_a_file_is_removed(finished: FinishedRun) -> None:
    draft = finished.folder / ".resume.safetensors.0a1b2c3d.partial"
    draft.write_bytes(b"half")
    assert run(finished.config, finished.folder) == 0
    assert not draft.exists()


@pytest.mark.slow
def test_a_run_does_not_go_on_with_other_rows(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, config = tmp_path / "run", make_run()
    assert run(config, folder) == 0
    rows = tmp_path / "train.jsonl"
    before = rows.read_text()
    rows.write_text(before.replace("A dog.", "A cat."))
    assert run(config, folder) == 2
    assert "begun with other rows: 'train.jsonl' changed" in capsys.readouterr().err
    rows.write_text(before)
    assert run(config, folder) == 0
    (folder / "data.json").write_text("{")
    assert run(config, folder) == 2
    assert "does not say which rows" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"model__asr": "nosuch"}, "No ASR named 'nosuch'"),
        ({"data__files": ["none.jsonl"]}, "none.jsonl' cannot be read"),
        (
            {"data__styles": ["open_qa", "poem"]},
            "of the 12 rows has a style of data.styles (open_qa, poem); theirs: none.",
        ),
        ({"data__validation": 0.99}, "data.validation=0.99 holds back all clips"),
        ({"data__audio_root": "nowhere"}, "No row is left to train on: unreadable clip 12 (No recording at '"),
        ({"data__max_length": 5}, "too long 12 (data.max_length=5; they take 53 to 62 tokens)."),
        ({"data__validation_files": ["train.jsonl"]}, "6 clips or recordings that data.files has too, such as '0.wav'"),
        (
            {"data__files": [{"file": "train.jsonl", "weight": 1e-9}]},
            "The weights in data.files add up to 1e-08 rows per epoch: at least 1 is needed.",
        ),
        (
            {"model__backbone": "/no/folder"},
            "'/no/folder' holds no causal LM that can be loaded: there is no such folder.",
        ),
    ],
)
def test_what_leaves_nothing_to_train_is_one_line(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, object], reason: str
) -> None:
    assert run(make_run(**changes), tmp_path / "run") == 2
    *_, line = capsys.readouterr().err.splitlines()  # behind the bars of transformers
    assert line.startswith("lalm.train: ") and reason in line


def test_a_run_folder_that_cannot_be_made_is_one_line(
    make_run: MakeRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = make_run()
    assert run(config, config / "run") == 2
    assert "run.yaml/run' cannot be used: Not a directory." in capsys.readouterr().err
    assert run(config, config) == 2
    assert "run.yaml' is a file; a run needs a folder" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "keep", "reason"),
    [
        ("resume.safetensors", 3000, "is not a complete checkpoint"),
        ("resume.safetensors", 0, "is not a complete checkpoint"),
    ],
)
def test_what_a_crash_left_in_pieces_is_named(
    finished: FinishedRun, capsys: pytest.CaptureFixture[str], name: str, keep: int, reason: str
) -> None:
    config, folder = finished
    whole = (folder / name).read_bytes()
    (folder / name).unlink()
    (folder / name).write_bytes(whole[:keep] + b"\n")
    capsys.readouterr()
    assert run(config, folder) == 2
    *_, line = capsys.readouterr().err.splitlines()  # behind the bars of transformers
    assert line.startswith("lalm.train: ") and reason in line
    (folder / name).unlink()
    assert run(config, folder) == 0


@pytest.mark.slow
def test_a_line_of_the_metrics_that_is_not_a_step_is_named_and_a_last_one_cut_short_is_cut_off(
    finished: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    config, folder = finished
    metrics = folder / "metrics.jsonl"
    whole = metrics.read_bytes()
    metrics.write_bytes(whole[:30] + b"\n" + whole)
    capsys.readouterr()
    assert run(config, folder) == 2
    *_, line = capsys.readouterr().err.splitlines()
    assert line.startswith("lalm.train: ") and "metrics.jsonl" in line and "line 1" in line
    metrics.write_bytes(whole[:30])
    assert run(config, folder) == 0


@pytest.mark.slow
def test_folders_of_frozen_parts_are_found_from_the_configuration(
    make_run: MakeRun,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoder_folder: Path,
    backbones: Callable[[str], Path],
) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "ears").symlink_to(encoder_folder)
    (tmp_path / "parts" / "mouth").symlink_to(backbones("llama"))
    config = make_run(model__encoder="parts/ears", model__backbone="parts/mouth")
    monkeypatch.chdir("/")
    assert run(config, tmp_path / "run") == 0
    model = run_files.read_config(tmp_path / "run").model
    assert Path(model.encoder).samefile(encoder_folder)
    assert Path(model.backbone).is_absolute()
    monkeypatch.chdir(tmp_path)
    assert run(Path("run.yaml"), tmp_path / "run") == 0


@pytest.mark.slow
def test_without_clips_held_back_no_validation_is_noted(make_run: MakeRun, tmp_path: Path) -> None:
    assert run(make_run(data__validation=0), tmp_path / "run") == 0
    assert not [line for line in metrics(tmp_path / "run") if "validation_loss" in line]


AS_TORCHRUN_DOES = """
import os
os.environ["EARWITNESS_HOME"] = {home!r}
from lalm.train.cli import main
assert main([{config!r}, {folder!r}]) == 0
"""


@pytest.mark.slow
@pytest.mark.parametrize("shard_backbone", [False, True])
def test_two_processes_train_as_one(
    make_run: MakeRun, tmp_path: Path, home: Path, run_as_two: Callable[[str], None], *, shard_backbone: bool
) -> None:
    config = make_run(
        shard_backbone=shard_backbone,
        gradient_checkpointing=shard_backbone,
        model__connector={"num_queries": 5, "num_layers": 1, "num_taps": 2, "ffn_width": 32, "dropout": 0},
        model__lora={"rank": 2, "alpha": 4, "dropout": 0},
        alignment={"num_steps": 2, "clips": 2},
        batch__sequences_per_step=3,
    )
    run_as_two(AS_TORCHRUN_DOES.format(home=str(home), config=str(config), folder=str(tmp_path / "two")))
    assert run(config, tmp_path / "one") == 0
    keys = ("number", "loss", "validation_loss", "num_rows", "num_tokens", "num_replied", "num_segments", "grad_norm")
    for alone, shared in zip(metrics(tmp_path / "one"), metrics(tmp_path / "two"), strict=True):
        for key in alone.keys() & set(keys):
            assert shared[key] == pytest.approx(alone[key], rel=1e-4), key
    one, two = (load_file(tmp_path / each / run_files.WEIGHTS) for each in ("one", "two"))
    for name, value in one.items():
        torch.testing.assert_close(two[name], value, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_run_is_tracked_where_tensorboard_is_installed(finished: FinishedRun) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    folder = finished.folder
    events = accumulator.EventAccumulator(str(folder))
    events.Reload()
    tracked = [event.value for event in events.Scalars("loss")]
    assert tracked == pytest.approx([line["loss"] for line in metrics(folder) if "loss" in line])
    assert [event.step for event in events.Scalars("validation_loss")] == [1, 3]
