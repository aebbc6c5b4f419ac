"""A configuration that cannot work is refused before anything is loaded."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.rows.config import ReaderRowsConfig
from lalm.distill.config import DistillConfig
from lalm.naming.config import NamingTrainConfig
from lalm.reader.config import ReaderConfig
from lalm.synthesise.config import SynthesiseConfig
from lalm.train.config import AlignmentConfig, OptimizerConfig, ScheduleConfig, TrainConfig, WarmupConfig
from services.yaml_file import read_config

CONFIGS = Path(__file__).parents[3] / "lalm" / "configs"
LEAST = {
    "name": "a",
    "model": {"encoder": "e", "backbone": "b"},
    "data": {"files": ["f"], "audio_root": "r"},
    "optimizer": {"num_steps": 1},
}


def test_what_is_left_out_is_as_in_desta() -> None:
    config = TrainConfig.model_validate(LEAST)
    connector = config.model.connector
    assert (connector.num_queries, connector.num_layers, connector.num_taps, connector.ffn_width) == (64, 6, 4, 3072)
    assert config.optimizer.betas == (0.9, 0.98)
    assert config.optimizer.learning_rate == 1e-4
    assert config.model.lora is None
    assert config.model.window == "full"


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("batch", "tokens", 100),
        ("optimizer", "num_steps", 0),
        ("optimizer", "betas", [1.0, 2.0]),
        ("optimizer", "betas", [0.9, -0.1]),
        ("optimizer", "learning_rate", 1e38),
        ("optimizer", "lora_learning_rate", float("inf")),
        ("optimizer", "weight_decay", float("inf")),
        ("data", "validation", 1.0),
        ("data", "files", [{"file": "a.jsonl", "weight": float("inf")}]),
        ("data", "files", [{"file": "a.jsonl", "weight": 1e7}]),
        ("data", "evidence", "rows"),
        ("model", "window", "cut"),
        ("model", "connector", {"width": 63}),
        ("model", "connector", {"norm_eps": float("inf")}),
    ],
)
def test_values_out_of_range_are_refused(part: str, key: str, value: object) -> None:
    content = {**LEAST, part: {**LEAST.get(part, {}), key: value}}
    with pytest.raises(ValidationError):
        TrainConfig.model_validate(content)


def test_a_file_of_rows_is_a_path_or_a_path_with_a_weight() -> None:
    files = ["a.jsonl", {"file": "b.jsonl", "weight": 0.5}]
    config = TrainConfig.model_validate({**LEAST, "data": {**LEAST["data"], "files": files}})
    assert [(str(one.file), one.weight) for one in config.data.files] == [("a.jsonl", 1.0), ("b.jsonl", 0.5)]
    assert TrainConfig.model_validate(config.model_dump(mode="json")) == config


@pytest.mark.parametrize(
    ("model", "beside", "reason"),
    [
        ({"asr": None}, {"other": 1, "nothing": 1}, "data.beside varies text that is never there: set model.asr or"),
        (
            {"asr": None, "captioner": "acoustic"},
            {"transcript": 1},
            "data.beside.transcript is without effect: set model.asr",
        ),
        ({}, {"evidence": 1}, "are without effect: set model.captioner"),
    ],
)
def test_text_that_would_never_be_shown_is_refused(
    model: dict[str, object], beside: dict[str, float], reason: str
) -> None:
    content = {"model": {**LEAST["model"], "prompt": 2, **model}, "data": {**LEAST["data"], "beside": beside}}
    with pytest.raises(ValidationError, match=reason):
        TrainConfig.model_validate({**LEAST, **content})


@pytest.mark.parametrize("kind", [OptimizerConfig, ScheduleConfig, AlignmentConfig])
def test_a_warm_up_that_never_ends_is_refused_and_its_default_fits_the_steps(kind: type[WarmupConfig]) -> None:
    assert [kind(num_steps=steps).warmup_steps for steps in (1, 2, 50, 200, 5_000)] == [0, 1, 25, 100, 100]
    assert kind(num_steps=30, warmup_steps=30).warmup_steps == 30
    with pytest.raises(ValidationError, match=r"warmup_steps=31 is more than num_steps=30, so the learning rate"):
        kind(num_steps=30, warmup_steps=31)


@pytest.mark.parametrize("path", [*CONFIGS.glob("*.yaml")], ids=lambda path: path.stem)
def test_every_configuration_that_ships_can_be_read(path: Path) -> None:
    kinds = {
        "reader-rows": ReaderRowsConfig,
        "reader": ReaderConfig,
        "distill": DistillConfig,
        "synthesise": SynthesiseConfig,
        "naming": NamingTrainConfig,
    }
    kind = kinds.get(path.stem) or kinds.get(path.stem.partition("-")[0], TrainConfig)
    assert isinstance(read_config(path, kind), kind)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"targets": ["metadata"], "backbone": "smollm2-135m"}, "backbone is without effect: add distilled to targets"),
        ({"targets": ["metadata"], "rephrase": True}, "rephrase is without effect: add distilled to targets"),
        ({"backbone": "smollm2-135m", "metadata_rounds": 2}, "metadata_rounds is without effect: add metadata to"),
    ],
)
def test_settings_of_targets_that_are_not_made_are_refused(given: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        DistillConfig.model_validate({"metadata": "a.jsonl", "output": "b.jsonl", **given})


def test_a_quantised_backbone_is_not_sharded() -> None:
    content = {**LEAST, "shard_backbone": True, "model": {**LEAST["model"], "quantise": "nf4"}}
    with pytest.raises(ValidationError, match="shard_backbone takes no quantised backbone"):
        TrainConfig.model_validate(content)


def test_weights_of_another_run_are_not_aligned_anew() -> None:
    content = {**LEAST, "start_from": "runs/a", "alignment": {"num_steps": 1}}
    with pytest.raises(ValidationError, match="leave out alignment"):
        TrainConfig.model_validate(content)
