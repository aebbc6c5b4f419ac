"""What a backbone does not take is named before a training: by a forward pass over two rows, packed and alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel

from lalm.model.backbone_check import check_backbone
from lalm.model.build import LalmComponents, build, count_unadapted_experts, find_linear_layers
from lalm.model.config import ConnectorConfig, LoraConfig, ModelConfig
from lalm.model.packing import PackedBatch
from services.errors import ModelError

SIZES = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
EXPERTS = {**SIZES, "num_local_experts": 4}


@pytest.fixture
def make(tmp_path: Path, encoder_folder: Path, write_backbone: Callable[..., None]) -> Callable[..., LalmComponents]:
    def built(family: str, **sizes: object) -> LalmComponents:
        write_backbone(tmp_path / family, family, **sizes)
        config = ModelConfig(
            encoder=str(encoder_folder),
            backbone=str(tmp_path / family),
            connector=ConnectorConfig(num_queries=3, num_layers=1, num_taps=2, ffn_width=32),
            lora=LoraConfig(rank=2),
            dtype="float32",
        )
        return build(config, torch.device("cpu"))

    return built


def trained_layers(backbone: PreTrainedModel) -> set[str]:
    return {name.split(".")[-4] for name, value in backbone.named_parameters() if value.requires_grad}


@pytest.mark.slow
def test_a_plain_decoder_passes_and_every_linear_layer_is_adapted(make: Callable[..., LalmComponents]) -> None:
    model = make("llama", **SIZES).model
    model.train()
    check_backbone(model, "llama")
    assert model.training
    assert trained_layers(model.backbone) == {
        *("q_proj", "k_proj", "v_proj", "o_proj"),
        *("gate_proj", "up_proj", "down_proj"),
    }
    assert count_unadapted_experts(model.backbone) == 0


@pytest.mark.slow
@pytest.mark.parametrize("family", ["phimoe", "mixtral"])
def test_of_a_mixture_of_experts_the_attention_is_adapted_and_the_experts_are_counted(
    family: str, make: Callable[..., LalmComponents]
) -> None:
    model = make(family, **EXPERTS).model
    check_backbone(model, family)
    assert trained_layers(model.backbone) == {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert count_unadapted_experts(model.backbone) == 2 * 4 * 3 * 64 * 96
    assert not [name for name in find_linear_layers(model.backbone) if "router" in name or "gate" in name]


@pytest.mark.slow
def test_an_argument_that_is_not_taken_is_named(make: Callable[..., LalmComponents]) -> None:
    built = make("falcon", hidden_size=64, num_attention_heads=4, alibi=True)
    with pytest.raises(ModelError, match=r"'alibi' \(falcon\) does not take a mask of its own for each row"):
        check_backbone(built.model, "alibi")


@pytest.mark.slow
def test_a_mask_that_is_ignored_is_noticed(
    make: Callable[..., LalmComponents], monkeypatch: pytest.MonkeyPatch
) -> None:
    built = make("llama", **SIZES)

    def see_all(packed: PackedBatch, window: int | None = None) -> torch.Tensor:
        order = torch.arange(len(packed.ids_L))
        return (order <= order[:, None])[None, None]

    check_backbone(built.model, "llama")
    monkeypatch.setattr(PackedBatch, "build_attention_mask", see_all)
    with pytest.raises(ModelError, match=r"does not keep packed rows apart: a row scores \d+\.\d+ nats differently"):
        check_backbone(built.model, "llama")


def test_layers_are_found_by_what_they_compute() -> None:
    class Router(torch.nn.Linear):
        def forward(self, input: torch.Tensor) -> Sequence[torch.Tensor]:  # type: ignore[override]
            out = super().forward(input)
            return out, out

    class Model(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.plain, self.router, self.head = torch.nn.Linear(4, 3), Router(4, 2), torch.nn.Linear(3, 9)

        def get_output_embeddings(self) -> torch.nn.Module:
            return self.head

    assert find_linear_layers(Model()) == ["plain"]  # type: ignore[arg-type]


@pytest.mark.slow
def test_too_little_memory_is_not_taken_for_a_backbone_that_refuses(
    make: Callable[..., LalmComponents], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*_: object) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    model = make("llama", **SIZES).model
    monkeypatch.setattr(model, "score_replies", run_out)
    with pytest.raises(ModelError, match=r"'llama' does not fit into the memory of its device: CUDA out of memory"):
        check_backbone(model, "llama")
