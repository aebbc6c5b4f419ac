"""Frozen parts are loaded whole, or not at all."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, WhisperConfig, WhisperForConditionalGeneration
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from lalm.model import parts
from services.errors import ModelError

CPU = torch.device("cpu")


def copied(folder: Path, to: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> str:
    """Copy a model with its tensors changed."""
    to.mkdir()
    (to / "config.json").write_bytes((folder / "config.json").read_bytes())
    tensors = load_file(folder / "model.safetensors")
    change(tensors)
    save_file(tensors, to / "model.safetensors", metadata={"format": "pt"})
    return str(to)


def test_the_encoder_of_a_whole_whisper_model_is_found(tmp_path: Path, encoder_folder: Path) -> None:
    config = WhisperConfig.from_pretrained(encoder_folder)
    torch.manual_seed(5)
    model = WhisperForConditionalGeneration(config)
    model.save_pretrained(tmp_path)
    loaded = parts.open_encoder(str(tmp_path), torch.float32).state_dict()
    expected = model.model.encoder.state_dict()
    assert loaded.keys() == expected.keys()
    assert all(torch.equal(loaded[name], expected[name]) for name in expected)


@pytest.mark.slow
def test_an_encoder_of_its_own_is_loaded(encoder_folder: Path) -> None:
    loaded = parts.open_encoder(str(encoder_folder), torch.bfloat16)
    expected = WhisperEncoder.from_pretrained(encoder_folder).bfloat16().state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in loaded.state_dict().items())


def test_an_encoder_that_lacks_tensors_is_refused(tmp_path: Path, encoder_folder: Path) -> None:
    source = copied(encoder_folder, tmp_path / "hollow", lambda tensors: tensors.pop("layers.1.fc1.weight"))
    with pytest.raises(ModelError, match=r"lacks 1 tensors, such as layers\.1\.fc1\.weight"):
        parts.open_encoder(source, torch.float32)


def test_a_backbone_that_lacks_tensors_is_refused(tmp_path: Path, backbones: Callable[[str], Path]) -> None:
    name = "model.layers.0.mlp.up_proj.weight"
    source = copied(backbones("llama"), tmp_path / "hollow", lambda tensors: tensors.pop(name))
    with pytest.raises(ModelError, match=r"lacks 1 tensors, such as model\.layers\.0\.mlp\.up_proj"):
        parts.open_backbone(source, torch.float32)


def test_a_backbone_whose_tensors_have_another_shape_is_refused(
    tmp_path: Path, backbones: Callable[[str], Path]
) -> None:
    change = {"model.layers.0.mlp.up_proj.weight": torch.zeros(3, 3)}
    source = copied(backbones("llama"), tmp_path / "other", lambda tensors: tensors.update(change))
    with pytest.raises(ModelError, match="causal LM"):
        parts.open_backbone(source, torch.float32)


def test_a_backbone_with_recurrent_layers_is_refused(tmp_path: Path, backbones: Callable[[str], Path]) -> None:
    source = copied(backbones("qwen2"), tmp_path / "odd", lambda _: None)
    config = AutoConfig.from_pretrained(source)
    config.layer_types = ["chunked_attention", "full_attention"]
    config.save_pretrained(source)
    with pytest.raises(ModelError, match="'chunked_attention', which cannot keep packed rows apart"):
        parts.open_backbone(source, torch.float32)


def test_a_folder_without_a_model_is_named(tmp_path: Path) -> None:
    for opened in (parts.open_encoder, parts.open_backbone):
        with pytest.raises(ModelError, match=f"'{tmp_path}' holds no .* Name embedded weights"):
            opened(str(tmp_path), torch.float32)
    with pytest.raises(ModelError, match="holds no tokenizer"):
        parts.open_tokenizer(str(tmp_path))


def test_a_backbone_is_frozen(backbones: Callable[[str], Path]) -> None:
    backbone = parts.open_backbone(str(backbones("llama")), torch.float32)
    assert not any(value.requires_grad for value in backbone.parameters())
    assert not backbone.training


@pytest.mark.parametrize(("name", "package"), [("int8", "torchao"), ("nf4", "bitsandbytes")])
def test_a_quantised_backbone_needs_the_package_that_quantises(
    backbones: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch, name: Literal["int8", "nf4"], package: str
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(parts, "find_spec", lambda _: None)
        with pytest.raises(ModelError, match=f"model.quantise: {name} needs the package {package}: `pip install"):
            parts.open_backbone(str(backbones("llama")), torch.float32, name)
    pytest.importorskip(package)
    plain, quantised = (parts.open_backbone(str(backbones("llama")), torch.float32, one) for one in (None, name))
    ids = torch.arange(10, 40)[None]
    losses = [float(one(ids, labels=ids).loss) for one in (plain, quantised)]
    assert 0 < abs(losses[0] - losses[1]) < 0.1
    assert not any(value.requires_grad for value in quantised.parameters())


def test_other_weights_have_another_revision(tmp_path: Path, encoder_folder: Path) -> None:
    same = copied(encoder_folder, tmp_path / "same", lambda _: None)
    other = copied(encoder_folder, tmp_path / "other", lambda tensors: tensors["conv1.bias"].add_(1))
    again = copied(Path(same), tmp_path / "again", lambda _: None)
    assert parts.compute_revision(same) == parts.compute_revision(again) != parts.compute_revision(other)


def test_auto_takes_bfloat16_only_where_it_is_fast() -> None:
    assert parts.pick_dtype("float32", CPU) == torch.float32
    assert parts.pick_dtype("bfloat16", CPU) == torch.bfloat16
    assert parts.pick_dtype("auto", torch.device("cuda")) == torch.bfloat16


def test_the_revision_of_a_hub_model_is_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    kept = tmp_path / "models--somebody--model"
    for path, text in (("refs/main", "0123abcd"), ("snapshots/0123abcd/config.json", "{}")):
        (kept / path).parent.mkdir(parents=True)
        (kept / path).write_text(text)
    assert parts.compute_revision("somebody/model") == "0123abcd"


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"avx512_bf16": True}, torch.bfloat16), ({"avx512_bf16": False}, torch.float32), ({}, torch.float32)],
)
def test_a_processor_that_multiplies_bfloat16_gets_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: torch.dtype
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert parts.pick_dtype("auto", CPU) == expected


def test_weights_that_nobody_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="'nosuch' holds no model that can be loaded"):
        parts.compute_revision("nosuch")
