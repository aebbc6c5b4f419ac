"""Packed or alone, a reply is as likely; and without audio the backbone answers as ever."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from lalm.model import parts
from lalm.model.build import add_lora
from lalm.model.config import ConnectorConfig, LoraConfig
from lalm.model.connector import Connector
from lalm.model.frames import AudioFeatures, EncoderFeatures, TapShape, pad_segments
from lalm.model.model import AudioLanguageModel
from lalm.model.packing import PackedGroup, PackedRow, pack_groups

NUM_QUERIES, WIDTH = 5, 16
Backbones = Callable[[str], Path]


def made(folder: Path, *, lora: bool = True) -> AudioLanguageModel:
    """Return a LALM whose adapters already say something."""
    torch.manual_seed(1)
    backbone = parts.open_backbone(str(folder), torch.float32)
    connector = Connector(
        ConnectorConfig(num_queries=NUM_QUERIES, num_layers=1, num_taps=2, ffn_width=32),
        [TapShape(2, WIDTH, 50.0, 0.01)],
        num_heads=4,
        backbone_width=64,
    )
    if lora:
        add_lora(backbone, LoraConfig(rank=2, alpha=8, dropout=0.1))
        for name, value in backbone.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(value, std=0.3)
    return AudioLanguageModel(connector, backbone).eval()


def heard(*frames: int, seed: int = 0) -> AudioFeatures:
    generator = torch.Generator().manual_seed(seed)
    return pad_segments([(torch.randn(2, length, WIDTH, generator=generator),) for length in frames])


def row(generator: torch.Generator, prefix: Sequence[int], num_prompt: int, num_reply: int) -> PackedRow:
    more = torch.randint(7, 300, (num_prompt,), generator=generator).tolist()
    reply = torch.randint(7, 300, (num_reply,), generator=generator).tolist()
    return PackedRow((*prefix, *more), tuple(reply))


def groups() -> tuple[PackedGroup, ...]:
    """Three groups: one clip of two segments, two clips, and one row alone; all longer than a window of 24 tokens."""
    generator = torch.Generator().manual_seed(5)
    slots = lambda first, last: tuple(-1 - slot for slot in range(first, last))  # noqa: E731
    first = (20, 21, *slots(0, 10), *range(30, 44))
    second = (22, *slots(0, 5), 23, *slots(5, 10), 24, *range(50, 60))
    return (
        PackedGroup((row(generator, first, 3, 4), row(generator, first, 1, 2), row(generator, first, 6, 7)), 10),
        PackedGroup((row(generator, second, 2, 3), row(generator, second, 9, 1)), 10),
        PackedGroup((row(generator, (25, *slots(0, 5)), 30, 5),), 5),
    )


def alone(model: AudioLanguageModel, one: PackedRow, audio_AH: Tensor) -> Tensor:
    """Return the log-probability of each reply token from a plain forward pass of the backbone."""
    ids = torch.tensor((*one.prompt, *one.reply))
    inputs_LH = model.backbone.get_input_embeddings()(ids.clamp(min=0)).clone()
    for place, token in enumerate(ids.tolist()):
        if token < 0:
            inputs_LH[place] = audio_AH[-1 - token]
    logprobs_LV = model.backbone(inputs_embeds=inputs_LH[None]).logits[0].float().log_softmax(-1)
    start = len(one.prompt)
    return torch.stack([logprobs_LV[start + n - 1, token] for n, token in enumerate(one.reply)])


@pytest.mark.slow
@torch.no_grad()
def test_packed_every_row_is_as_likely_as_alone(family: str, backbones: Backbones) -> None:
    model = made(backbones(family))
    features = heard(9, 4, 7, 8, 6)
    packed = pack_groups(groups())
    together_R = model(packed, features)
    audio_AH = model.embed_audio(features)
    assert audio_AH is not None
    slots, expected = 0, []
    for group in groups():
        expected += [alone(model, one, audio_AH[slots : slots + group.num_slots]) for one in group.rows]
        slots += group.num_slots
    torch.testing.assert_close(together_R, torch.cat(expected), rtol=0, atol=1e-4)


@pytest.mark.slow
@torch.no_grad()
def test_what_another_group_hears_changes_nothing(family: str, backbones: Backbones) -> None:
    model = made(backbones(family))
    packed, features = pack_groups(groups()), heard(9, 4, 7, 8, 6)
    changed = EncoderFeatures(features[0].taps_SKTD.clone(), features[0].frames_S)
    changed.taps_SKTD[1] += 1  # the second segment of the first group
    before_R, after_R = model(packed, features), model(packed, (changed,))
    differs = {int(one) for one in packed.row_R[(before_R - after_R).abs() > 1e-5]}
    assert differs == {0, 1, 2}


@pytest.mark.slow
def test_logits_are_computed_only_where_a_reply_is_predicted(backbones: Backbones) -> None:
    model = made(backbones("llama"))
    shapes = []
    model.backbone.get_output_embeddings().register_forward_hook(lambda _, given, __: shapes.append(given[0].shape))
    packed = pack_groups(groups())
    model(packed, heard(9, 4, 7, 8, 6))
    assert shapes == [(1, 22, 64)]
    assert len(packed.ids_L) > 100


@pytest.mark.slow
def test_adapters_are_found_in_every_linear_layer_of_the_family(family: str, backbones: Backbones) -> None:
    model = made(backbones(family))
    adapted = {name.split(".")[-4] for name, _ in model.backbone.named_parameters() if "lora_A" in name}
    fused = {"qkv_proj", "o_proj", "gate_up_proj", "down_proj"}
    usual = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
    assert adapted == (fused if family == "phi3" else usual)


@pytest.mark.slow
def test_only_connector_and_adapters_are_trained(family: str, backbones: Backbones) -> None:
    names = {name for name, _ in made(backbones(family)).list_trained_parameters()}
    assert all(name.startswith("connector.") or ".lora_" in name for name in names)
    assert any(name.startswith("connector.") for name in names)


def test_adapters_are_trained_in_float32_beside_a_bfloat16_backbone(backbones: Backbones) -> None:
    backbone = parts.open_backbone(str(backbones("llama")), torch.bfloat16)
    add_lora(backbone, LoraConfig(rank=2))
    dtypes = {("lora" in name, value.dtype) for name, value in backbone.named_parameters()}
    assert dtypes == {(True, torch.float32), (False, torch.bfloat16)}


@pytest.mark.slow
def test_without_audio_the_backbone_answers_to_the_bit_as_before(family: str, backbones: Backbones) -> None:
    ids = torch.randint(7, 300, (1, 40), generator=torch.Generator().manual_seed(2))
    plain = parts.open_backbone(str(backbones(family)), torch.float32)
    before = plain(ids).logits
    model = made(backbones(family))
    optimizer = torch.optim.AdamW([value for _, value in model.list_trained_parameters()], lr=0.1)
    for _ in range(3):
        (-model.train()(pack_groups(groups()), heard(9, 4, 7, 8, 6)).sum()).backward()
        optimizer.step()
        optimizer.zero_grad()
    model.eval()
    with model.use_adapters(active=False):
        assert torch.equal(model.backbone(ids).logits, before)
    assert not torch.equal(model.backbone(ids).logits, before)
    tokens = ids[0].tolist()
    packed = pack_groups([PackedGroup((PackedRow(tuple(tokens[:30]), tuple(tokens[30:])),), 0)])
    assert torch.equal(model(packed, None), AudioLanguageModel(model.connector, plain)(packed, None))


def test_adapters_are_trained_again_after_they_rested(backbones: Backbones) -> None:
    model = made(backbones("qwen2"))
    names = [name for name, _ in model.list_trained_parameters()]
    with model.use_adapters(active=False):
        pass
    assert [name for name, _ in model.list_trained_parameters()] == names


def test_a_prompt_with_audio_needs_its_features(backbones: Backbones) -> None:
    with pytest.raises(AssertionError, match="needs its features"):
        made(backbones("llama"))(pack_groups(groups()), None)


def test_dropout_is_on_only_where_something_is_trained(backbones: Backbones) -> None:
    model = made(backbones("llama")).train()
    assert model.connector.layers[0].dropout.training
    on = {name for name, module in model.backbone.named_modules() if module.training}
    assert on
    assert all("lora_dropout" in name for name in on)
    assert not any(module.training for module in model.eval().modules())


def test_a_frozen_backbone_with_dropout_drops_nothing_out_in_training(backbones: Backbones) -> None:
    model = made(backbones("qwen2"), lora=False).train()
    for layer in model.backbone.model.layers:
        layer.self_attn.attention_dropout = 0.5
    model.connector.eval()
    packed, features = pack_groups(groups()), heard(9, 4, 7, 8, 6)
    assert torch.equal(model(packed, features), model(packed, features))
