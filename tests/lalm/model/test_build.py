"""A configuration becomes the model it describes, the same each time."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from lalm.model.build import build
from lalm.model.config import ModelConfig
from lalm.train.config import TrainConfig
from services.errors import ModelError
from services.yaml_file import read_config

CPU = torch.device("cpu")


@pytest.fixture
def config(make_run: Callable[..., Path]) -> ModelConfig:
    return read_config(make_run(), TrainConfig).model


@pytest.mark.slow
def test_the_trained_parts_begin_as_the_seed_says(config: ModelConfig) -> None:
    def begun(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return build(config, CPU).model.list_checkpoint_tensors()

    first, again, other = begun(1), begun(1), begun(2)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert not torch.equal(first["connector.queries_KQD"], other["connector.queries_KQD"])


@pytest.mark.slow
def test_adapters_say_nothing_before_they_are_trained(config: ModelConfig) -> None:
    model = build(config, CPU).model.eval()
    ids = torch.arange(10, 40)[None]
    heard = model.backbone(ids).logits
    with model.use_adapters(active=False):
        assert torch.equal(model.backbone(ids).logits, heard)


@pytest.mark.slow
def test_the_connector_fits_between_its_neighbours(config: ModelConfig) -> None:
    built = build(config, CPU)
    assert built.model.connector.queries_KQD.shape == (2, 5, built.encoders.shapes[0].width)
    assert built.model.connector.projection.out_features == 64
    assert built.model.connector.queries_KQD.dtype == torch.float32


@pytest.mark.slow
def test_without_lora_the_connector_alone_is_trained(config: ModelConfig) -> None:
    model = build(config.model_copy(update={"lora": None}), CPU).model
    assert not model.has_adapters
    assert {name.split(".")[0] for name, _ in model.list_trained_parameters()} == {"connector"}


@pytest.mark.slow
def test_a_backbone_that_is_nowhere_is_named(config: ModelConfig, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no causal LM"):
        build(config.model_copy(update={"backbone": str(tmp_path / "none")}), CPU)
