"""A LALM that reads its weights when it is first asked: what is known before, and that it answers as the opened one."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model.build import build
from lalm.prompting import build_messages
from lalm.runtimes.in_process import InProcessTrainedLALM
from lalm.runtimes.trained_lalm import TrainedLALM
from lalm.train import checkpoint, run_files
from lalm.train.config import TrainConfig
from services.errors import BadConfig
from services.protocols import Loadable
from services.types import AudioClip, Question
from services.yaml_file import read_config

ASKED = Question.ask("What is heard?", ("A bell", "Rain"))


@pytest.fixture
def run_folder(tmp_path: Path, make_run: Callable[..., Path]) -> Path:
    config = read_config(make_run(model__dtype="float32"), TrainConfig)
    folder = tmp_path / "run"
    checkpoint.open_run(folder, config)
    built = build(config.model, torch.device("cpu"))
    checkpoint.export_weights(built.model, folder, torch.float32)
    return folder


@pytest.mark.slow
async def test_it_answers_as_the_opened_one_and_is_known_before(
    run_folder: Path, make_clip: Callable[..., AudioClip]
) -> None:
    lazy, opened = (kind(run_folder, name="own", asr=None) for kind in (TrainedLALM, InProcessTrainedLALM))
    assert isinstance(lazy, Loadable)
    assert (lazy.name, lazy.revision, lazy.style) == (opened.name, opened.revision, opened.style)
    clip, messages = make_clip(1.0), build_messages(ASKED, lists_options=False)
    one, two = [await each.choose(messages, clip, ASKED.choices) for each in (lazy, opened)]
    assert one == two
    assert await lazy.listen(messages, clip) == await opened.listen(messages, clip)


@pytest.mark.slow
async def test_damaged_weights_are_an_error_when_they_are_read_not_when_it_is_opened(
    run_folder: Path, make_clip: Callable[..., AudioClip]
) -> None:
    (run_folder / run_files.WEIGHTS).unlink()
    with pytest.raises(BadConfig, match=r"model\.safetensors' cannot be read"):
        TrainedLALM(run_folder, name="own", asr=None)
    (run_folder / run_files.WEIGHTS).write_bytes(b"no tensors")
    lazy = TrainedLALM(run_folder, name="own", asr=None)
    with pytest.raises(BadConfig, match=r"model\.safetensors' cannot be read"):
        lazy.load()
    with pytest.raises(BadConfig, match=r"model\.safetensors' cannot be read"):
        await lazy.choose(build_messages(ASKED, lists_options=False), make_clip(1.0), ASKED.choices)
