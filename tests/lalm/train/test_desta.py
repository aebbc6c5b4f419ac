"""DeSTA2.5-Audio's checkpoint under our names. Its connector is built here as its own code builds it, but small."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import BertConfig
from transformers.models.bert.modeling_bert import BertEncoder

from lalm.export.hf_folder import main
from lalm.model.config import ConnectorConfig
from lalm.model.connector import Connector
from lalm.model.frames import EncoderFeatures, TapShape
from lalm.model.model import AudioLanguageModel
from lalm.train import checkpoint
from lalm.train.desta import PREFIX, export_desta, import_desta
from services.errors import BadConfig

NUM_TAPS, NUM_QUERIES, WIDTH, HEADS, OUT, FRAMES = 4, 6, 64, 4, 48, 20


class TheirConnector(nn.Module):
    """QformerConnector of modeling_desta25.py: the same parts under the same names."""

    def __init__(self) -> None:
        super().__init__()
        self.layer_prompts = nn.ParameterList(nn.Parameter(torch.randn(1, NUM_QUERIES, WIDTH)) for _ in range(NUM_TAPS))
        self.layer_weights = nn.Parameter(torch.randn(NUM_QUERIES, NUM_TAPS))
        config = BertConfig(hidden_size=WIDTH, num_attention_heads=HEADS, num_hidden_layers=2, intermediate_size=96)
        config.add_cross_attention, config.is_decoder, config._attn_implementation = True, True, "eager"
        self.qformer = BertEncoder(config)
        self.proj = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, OUT))

    def forward(self, taps: list[Tensor]) -> Tensor:
        outs = [
            self.qformer(prompt.expand(len(tap), -1, -1), encoder_hidden_states=tap).last_hidden_state
            for prompt, tap in zip(self.layer_prompts, taps, strict=True)
        ]
        stacked = torch.stack(outs).permute(1, 2, 0, 3)
        mixed = (stacked * self.layer_weights.softmax(-1).unsqueeze(-1)).sum(2)
        out: Tensor = self.proj(mixed)
        return out


def make_ours(norm_eps: float = 1e-12) -> Connector:
    size = ConnectorConfig(
        num_queries=NUM_QUERIES, num_layers=2, num_taps=NUM_TAPS, ffn_width=96, norm_eps=norm_eps, dropout=0
    )
    return Connector(size, [TapShape(NUM_TAPS, WIDTH, 50.0, 0.0)], num_heads=HEADS, backbone_width=OUT)


def stored(theirs: TheirConnector) -> dict[str, Tensor]:
    return {f"{PREFIX}{name}": value.detach() for name, value in theirs.named_parameters()}


@torch.no_grad()
def test_a_checkpoint_of_theirs_hears_the_same_in_our_classes_and_goes_back_to_the_bit() -> None:
    torch.manual_seed(0)
    theirs = TheirConnector().eval()
    named = import_desta(stored(theirs))
    taps = torch.randn(2, NUM_TAPS, FRAMES, WIDTH)
    expected = theirs(list(taps.unbind(1)))
    features = (EncoderFeatures(taps, torch.tensor([FRAMES, FRAMES])),)
    for norm_eps, tolerance in ((1e-12, 1e-5), (1e-5, 1e-3)):
        ours = make_ours(norm_eps).eval()
        ours.load_state_dict({name.removeprefix("connector."): value for name, value in named.items()})
        torch.testing.assert_close(ours(features), expected, rtol=0, atol=tolerance)
    back = export_desta(named)
    assert back.keys() == stored(theirs).keys()
    assert all(torch.equal(back[name], value) for name, value in stored(theirs).items())


def test_what_has_no_place_on_the_other_side_is_named() -> None:
    torch.manual_seed(0)
    tensors = stored(TheirConnector())
    with pytest.raises(BadConfig, match=r"'llm_model\.model\.layers\.0.*lora_A.*' is not a tensor of"):
        import_desta({**tensors, "llm_model.model.layers.0.self_attn.q_proj.lora_A.weight": torch.ones(1)})
    named = import_desta(tensors)
    with pytest.raises(BadConfig, match="standardises the features"):
        export_desta({**named, "connector.mean_KD": torch.ones(NUM_TAPS, WIDTH)})
    with pytest.raises(BadConfig, match=r"has no place in DeSTA2\.5-Audio's checkpoint"):
        export_desta({**named, "backbone.layers.0.lora_A.audio.weight": torch.ones(1)})


def test_a_run_starts_from_their_folder_and_is_written_as_theirs(tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs, ours = stored(TheirConnector()), make_ours()
    save_file({name: value.contiguous() for name, value in theirs.items()}, tmp_path / "model.safetensors")
    model = AudioLanguageModel(ours, nn.Linear(1, 1).requires_grad_(requires_grad=False))  # type: ignore[arg-type]
    checkpoint.load_weights(model, tmp_path)
    assert torch.equal(ours.queries_KQD[2], theirs[f"{PREFIX}layer_prompts.2"][0])
    (tmp_path / "run").mkdir()
    checkpoint.export_weights(model, tmp_path / "run", torch.float32)
    assert main([str(tmp_path / "run"), str(tmp_path / "back"), "--desta"]) == 0
    back = load_file(tmp_path / "back" / "model.safetensors")
    assert back.keys() == theirs.keys() and all(torch.equal(back[name], value) for name, value in theirs.items())
