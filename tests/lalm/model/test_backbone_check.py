"""What a backbone does not take is named before a training: by a forward pass over two rows, packed and alone."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerFast

from lalm.model.backbone_check import check_backbone
from lalm.model.build import LalmComponents, build, count_unadapted, find_linear_layers
from lalm.model.config import ConnectorConfig, LoraConfig, ModelConfig
from lalm.model.packing import PackedBatch
from services.errors import ModelError

SIZES = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2}
EXPERTS = {**SIZES, "num_local_experts": 4}
CHATML = "{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}"


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
    assert count_unadapted(model.backbone) == 0


@pytest.mark.slow
@pytest.mark.parametrize("family", ["phimoe", "mixtral"])
def test_of_a_mixture_of_experts_the_attention_is_adapted_and_the_experts_are_counted(
    family: str, make: Callable[..., LalmComponents]
) -> None:
    model = make(family, **EXPERTS).model
    check_backbone(model, family)
    assert trained_layers(model.backbone) == {"q_proj", "k_proj", "v_proj", "o_proj"}
    assert count_unadapted(model.backbone) == 2 * 4 * 3 * 64 * 96 + 2 * 4 * 64  # experts and routers
    assert not [name for name in find_linear_layers(model.backbone) if "router" in name or "gate" in name]


MLA = {"kv_lora_rank": 16, "q_lora_rank": 16, "qk_rope_head_dim": 8, "v_head_dim": 16, "qk_nope_head_dim": 8}
DEEPSEEK = {"n_routed_experts": 4, "num_experts_per_tok": 2, "n_group": 1, "topk_group": 1, "moe_intermediate_size": 32}


@pytest.mark.slow
def test_layers_that_peft_takes_for_experts_are_left_out_and_counted(make: Callable[..., LalmComponents]) -> None:
    """One dense layer, and one of experts beside a shared one; PEFT raised for both that dropout must be 0."""
    sizes = {**SIZES, "num_key_value_heads": 4, "head_dim": 8, **MLA, **DEEPSEEK, "first_k_dense_replace": 1}
    model = make("deepseek_v3", **sizes).model
    check_backbone(model, "deepseek_v3")
    assert trained_layers(model.backbone) == {"q_a_proj", "q_b_proj", "kv_a_proj_with_mqa", "kv_b_proj", "o_proj"}
    dense, shared, experts, router = 3 * 64 * 96, 3 * 64 * 32, 4 * 3 * 64 * 32, 4 * 64
    assert count_unadapted(model.backbone) == dense + shared + experts + router


@pytest.mark.slow
def test_attention_that_adds_its_mask_keeps_rows_apart(make: Callable[..., LalmComponents]) -> None:
    """GPT-OSS has no SDPA, and layers of two kinds."""
    window = {"head_dim": 16, "sliding_window": 4}
    model = make("gpt_oss", **EXPERTS, **window).model
    assert model.backbone.get_correct_attn_implementation(None) == "eager"
    check_backbone(model, "gpt_oss")


@pytest.mark.slow
def test_of_a_model_that_also_sees_the_causal_lm_is_loaded(
    tmp_path: Path, encoder_folder: Path, make_tokenizer: Callable[[str], PreTrainedTokenizerFast]
) -> None:
    text = {**SIZES, "head_dim": 16, "vocab_size": 336, "intermediate_size": 96, "num_hidden_layers": 2}
    sees = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    images = {"vision_config": {**sees, "image_size": 32, "patch_size": 16}, "image_token_index": 300}
    whole = AutoModelForCausalLM.from_config(AutoConfig.for_model("gemma3", text_config=text, **images))
    whole.save_pretrained(tmp_path / "gemma3")
    make_tokenizer(CHATML).save_pretrained(tmp_path / "gemma3")
    assert hasattr(whole.model, "vision_tower")
    config = ModelConfig(
        encoder=str(encoder_folder),
        backbone=str(tmp_path / "gemma3"),
        connector=ConnectorConfig(num_queries=3, num_layers=1, num_taps=2, ffn_width=32),
        lora=LoraConfig(rank=2),
        dtype="float32",
    )
    model = build(config, torch.device("cpu")).model
    assert type(model.backbone).__name__ == "Gemma3ForCausalLM"
    assert torch.equal(model.backbone.lm_head.weight, whole.lm_head.weight)
    check_backbone(model, "gemma3")


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

        def get_decoder(self) -> torch.nn.Module:
            return self

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
