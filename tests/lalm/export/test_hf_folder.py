from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from safetensors import SafetensorError
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoFeatureExtractor,
    AutoModel,
    AutoTokenizer,
    GenerationConfig,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    WhisperConfig,
)
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from lalm.export.hf import Lalm
from lalm.export.hf_folder import main
from lalm.model.build import LalmComponents, build
from lalm.model.frames import pad_segments
from lalm.model.packing import PackedGroup, PackedRow, pack_groups
from lalm.model.template import ChatTemplate, PromptClip
from lalm.train import checkpoint
from lalm.train.config import TrainConfig
from services.types import AudioClip, Message

CHAT = "{% for m in messages %}[{{ m.role }}]{{ m.content }}<|end|>{% endfor %}"
NUM_QUERIES = 3


def write_parts(folder: Path) -> None:
    alphabet = ["<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    core = Tokenizer(models.BPE(vocab={text: number for number, text in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|end|>", chat_template=CHAT)
    tokenizer.save_pretrained(folder / "llama")
    torch.manual_seed(1)
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "tie_word_embeddings": True}
    LlamaForCausalLM(
        LlamaConfig(vocab_size=len(alphabet), hidden_size=64, intermediate_size=96, initializer_range=0.1, **sizes)
    ).save_pretrained(folder / "llama")
    WhisperEncoder(
        WhisperConfig(d_model=64, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=96, init_std=0.1)
    ).save_pretrained(folder / "whisper")


@pytest.fixture(params=[None, {"rank": 2, "alpha": 4, "dropout": 0.1}], ids=["plain", "lora"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    write_parts(tmp_path)
    content = {
        "name": "tiny",
        "model": {
            "encoder": str(tmp_path / "whisper"),
            "backbone": str(tmp_path / "llama"),
            "connector": {"num_queries": NUM_QUERIES, "num_layers": 1, "num_taps": 2, "ffn_width": 32},
            "lora": request.param,
            "window": "trimmed",
            "dtype": "float32",
        },
        "data": {"files": [], "audio_root": "."},
        "optimizer": {"num_steps": 1},
    }
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / checkpoint.CONFIG).write_text(yaml.safe_dump(content))
    built = build(TrainConfig.model_validate(content).model, torch.device("cpu"))
    with torch.no_grad():
        for _, value in built.model.trained_parameters():
            value.add_(torch.randn_like(value) * 0.1)  # an adapter begins without effect
    checkpoint.export_weights(built.model, folder, torch.float32)
    return folder


def ours(run: Path) -> LalmComponents:
    built = build(checkpoint.read_config(run).model, torch.device("cpu"))
    checkpoint.load_weights(built.model, run)
    built.model.eval()
    return built


@pytest.mark.slow
@torch.no_grad()
def test_plain_transformers_gives_our_logits(run: Path) -> None:
    folder = run.parent / "exported"
    assert main([str(run), str(folder)]) == 0
    model = AutoModel.from_pretrained(folder).eval()
    template = ChatTemplate(AutoTokenizer.from_pretrained(folder), model.config.connector["num_queries"])
    built = ours(run)
    clips = [
        AudioClip(np.random.default_rng(seed).normal(0, 0.1, 6000 + 4000 * seed).astype(np.float32)) for seed in (0, 1)
    ]
    features = pad_segments([part for clip in clips for part in built.encoders(clip)])
    hearing = template.encode_prompt([Message(role="user", content="<|AUDIO|> what?")], [PromptClip(1)])
    reading = template.encode_prompt([Message(role="user", content="what?")], [])
    one = PackedRow(hearing, template.encode_reply("a bell"))
    other = PackedRow(hearing, template.encode_reply("rain"))

    cases = [
        (pack_groups([PackedGroup((one,), NUM_QUERIES)]), clips[:1], pad_segments(built.encoders(clips[0]))),
        (pack_groups([PackedGroup((one, other), NUM_QUERIES), PackedGroup((other,), NUM_QUERIES)]), clips, features),
        (pack_groups([PackedGroup((PackedRow(reading, one.reply),), 0)]), [], None),
    ]
    for number, (packed, heard, known) in enumerate(cases):
        expected_R = built.model(packed, known)
        places = (
            {} if number == 0 else {"position_ids": packed.positions_L[None], "attention_mask": packed.attention_mask()}
        )
        logits_LV = model(packed.ids_L[None], heard, **places).logits[0]
        found_R = logits_LV[packed.source_R].log_softmax(-1)[torch.arange(len(packed.target_R)), packed.target_R]
        torch.testing.assert_close(found_R, expected_R, atol=1e-5, rtol=0)
    assert model.state_dict().keys() >= {f"language.{name}" for name in built.model.checkpoint_tensors()}
    for name, value in built.model.checkpoint_tensors().items():
        assert torch.equal(model.state_dict()[f"language.{name}"], value), name

    with pytest.raises(ValueError, match="input_ids has 2 sequences"):
        model(torch.zeros(2, 3, dtype=torch.long))
    assert AutoFeatureExtractor.from_pretrained(folder).feature_size == 80
    assert GenerationConfig.from_pretrained(folder).eos_token_id == template.turn_end[-1]


def test_an_existing_folder_and_a_run_without_weights_are_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(run), str(run)]) == 2
    assert "exists" in capsys.readouterr().err
    (run.parent / "file").touch()
    assert main([str(run), str(run.parent / "file" / "exported")]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("lalm.export: ") and "file/exported' cannot be written: " in message
    (run / checkpoint.WEIGHTS).unlink()
    assert main([str(run), str(run.parent / "exported")]) == 2
    message = capsys.readouterr().err
    assert "holds no model.safetensors" in message and message.count("\n") == 1
    assert not (run.parent / "exported").exists()


def test_a_full_disk_is_one_line_and_leaves_nothing(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Lalm, folder: Path) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(Lalm, "save_pretrained", full)
    assert main([str(run), str(run.parent / "exported")]) == 2
    assert "exported' cannot be written: I/O error: No space left" in capsys.readouterr().err.splitlines()[-1]
    assert not list(run.parent.glob("exported*"))
