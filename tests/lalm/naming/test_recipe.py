"""A naming head is trained from rows, weighed on rows held back, and written where the LALM finds it."""

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lalm.naming.recipe import main
from lalm.runtimes.in_process import InProcessTrainedLALM
from services.audio import load as audio
from services.types import Choice, Message

CHOICES = tuple(Choice(letter=letter, text=text) for letter, text in zip("ABC", ("bell", "dog", "rain"), strict=True))
ASKED = (Message(role="user", content="What is heard?"),)


@pytest.mark.weights  # of YAMNet, whose classes are names too
def test_a_lalm_that_cannot_tell_tones_apart_names_them_with_a_head(
    run_folder: Path,
    write_tones: Callable[..., Path],
    write_config: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_tones("train", 8, seed=1)
    write_tones("held", 3, seed=2)
    before = InProcessTrainedLALM(run_folder, name="test", asr=None)
    assert main([str(write_config()), str(run_folder), "--quiet"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Trained    24 clips, 4")  # and YAMNet's classes
    quality = json.loads((run_folder / "naming_quality.json").read_text())
    assert quality["share_named"] == 1
    assert quality["fit"]["weight"] > 0
    assert quality["fit"]["accuracy"] > quality["fit"]["accuracy_before"]
    after = InProcessTrainedLALM(run_folder, name="test", asr=None)
    assert after.revision != before.revision and after.revision.startswith(before.revision)
    for label, right in zip(("bell", "dog", "rain"), CHOICES, strict=True):
        shares = asyncio.run(
            after.choose(ASKED, audio.load(tmp_path / "held" / f"{label}1.wav"), CHOICES)
        ).probabilities
        assert max(shares, key=shares.__getitem__) == right.letter


@pytest.mark.weights  # of YAMNet, whose classes are names too
def test_the_same_seed_gives_the_same_head_and_what_is_left_out_is_counted(
    run_folder: Path, write_tones: Callable[..., Path], write_config: Callable[..., Path], tmp_path: Path
) -> None:
    write_tones("held", 1, seed=2)
    rows = write_tones("train", 3, seed=1).read_text().replace("train rain0.wav", "held bell0.wav")
    (tmp_path / "train.jsonl").write_text(rows)
    (tmp_path / "train" / "dog1.wav").write_bytes(b"no sound")
    again = Path(shutil.copytree(run_folder, tmp_path / "again"))
    for folder in (run_folder, again):
        assert main([str(write_config()), str(folder), "--quiet"]) == 0
    assert (run_folder / "naming.safetensors").read_bytes() == (again / "naming.safetensors").read_bytes()
    quality = json.loads((run_folder / "naming_quality.json").read_text())
    assert (quality["num_clips"], quality["num_left_out"], quality["num_unread"]) == (7, 1, 1)


@pytest.mark.weights  # of YAMNet, whose classes are names too
def test_a_run_that_has_a_head_and_rows_without_names_are_refused(
    run_folder: Path,
    write_tones: Callable[..., Path],
    write_config: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_tones("train", 1, seed=1, labels=[])
    write_tones("held", 1, seed=2)
    assert main([str(write_config()), str(run_folder), "--quiet"]) == 2
    assert "no row about one clip has `labels`" in capsys.readouterr().err
    (run_folder / "naming.safetensors").write_bytes(b"")
    assert main([str(write_config()), str(run_folder), "--quiet"]) == 2
    assert "has a naming head already" in capsys.readouterr().err
