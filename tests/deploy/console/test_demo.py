"""The demo's training files fit its clips and the configurations that read them."""

from pathlib import Path

import pytest
import soundfile

from deploy.console import demo
from lalm.distill.config import DistillConfig
from lalm.distill.metadata import read_metadata
from lalm.train.config import TrainConfig
from services.yaml_file import read_config


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return demo.write_demo(tmp_path_factory.mktemp("demo")).parent


@pytest.mark.weights
def test_metadata_describes_every_clip_with_its_length(folder: Path) -> None:
    described = {row.audio: row.duration for row in read_metadata(folder / "metadata.jsonl")}
    lengths = {path.name: round(soundfile.info(str(path)).duration, 1) for path in folder.glob("*.wav")}
    assert described == lengths


@pytest.mark.weights
def test_the_training_reads_what_the_distillation_writes(folder: Path) -> None:
    distill = read_config(folder / "distill.yaml", DistillConfig)
    train = read_config(folder / "train.yaml", TrainConfig)
    assert distill.metadata == Path("metadata.jsonl")
    assert [source.file for source in train.data.files] == [distill.output]
    assert train.model.backbone.startswith(distill.backbone)
