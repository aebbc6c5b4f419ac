import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from safetensors import SafetensorError
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    AutoConfig,
    AutoFeatureExtractor,
    AutoModel,
    AutoModelForCausalLM,
    AutoProcessor,
    AutoTokenizer,
    GenerationConfig,
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
from lalm.prompting import AUDIO
from lalm.train import checkpoint, run_files
from lalm.train.config import TrainConfig
from services.types import SAMPLE_RATE, AudioClip, Message

CHAT = "{% for m in messages %}[{{ m.role }}]{{ m.content }}<|end|>{% endfor %}"
NUM_QUERIES = 3
DOCS = Path(__file__).parents[3] / "docs"


def write_parts(folder: Path, family: str) -> None:
    alphabet = ["<|end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    core = Tokenizer(models.BPE(vocab={text: number for number, text in enumerate(alphabet)}, merges=[]))
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|end|>", chat_template=CHAT)
    tokenizer.save_pretrained(folder / "backbone")
    torch.manual_seed(1)
    sizes = {"num_hidden_layers": 2, "num_attention_heads": 4, "hidden_size": 64, "vocab_size": len(alphabet)}
    config = AutoConfig.for_model(family, **SIZES[family], initializer_range=0.1, **sizes)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder / "backbone")
    WhisperEncoder(
        WhisperConfig(d_model=64, encoder_layers=2, encoder_attention_heads=4, encoder_ffn_dim=96, init_std=0.1)
    ).save_pretrained(folder / "whisper")


SIZES = {
    "llama": {"num_key_value_heads": 2, "intermediate_size": 96, "tie_word_embeddings": True},
    "gptj": {"rotary_dim": 8, "bos_token_id": 0, "eos_token_id": 0},  # its attention adds the mask
}
LORA = {"rank": 2, "alpha": 4, "dropout": 0.1}


@pytest.fixture(params=[("llama", None), ("llama", LORA), ("gptj", LORA)], ids=["plain", "lora", "eager"])
def run(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    family, lora = request.param
    write_parts(tmp_path, family)
    content = {
        "name": "tiny",
        "model": {
            "encoder": str(tmp_path / "whisper"),
            "backbone": str(tmp_path / "backbone"),
            "connector": {"num_queries": NUM_QUERIES, "num_layers": 1, "num_taps": 2, "ffn_width": 32},
            "lora": lora,
            "window": "trimmed",
            "dtype": "float32",
        },
        "data": {"files": [], "audio_root": "."},
        "optimizer": {"num_steps": 1},
    }
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / run_files.CONFIG).write_text(yaml.safe_dump(content))
    built = build(TrainConfig.model_validate(content).model, torch.device("cpu"))
    with torch.no_grad():
        for _, value in built.model.list_trained_parameters():
            value.add_(torch.randn_like(value) * 0.1)  # an adapter begins without effect
    checkpoint.export_weights(built.model, folder, torch.float32)
    return folder


def ours(run: Path) -> LalmComponents:
    built = build(run_files.read_config(run).model, torch.device("cpu"))
    checkpoint.load_weights(built.model, run)
    built.model.eval()
    return built


@pytest.mark.slow
@torch.no_grad()
def test_plain_transformers_gives_our_logits(run: Path) -> None:
    folder = run.parent / "exported"
    assert main([str(run), str(folder)]) == 0
    model, processor = AutoModel.from_pretrained(folder).eval(), AutoProcessor.from_pretrained(folder)
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
            {}
            if number == 0
            else {"position_ids": packed.positions_L[None], "attention_mask": packed.build_attention_mask()}
        )
        ids_L = packed.ids_L.where(packed.ids_L >= 0, model.config.audio_token_id)
        sounds = processor(AUDIO * len(heard), [clip.samples for clip in heard]) if heard else {}
        places |= {name: sounds[name] for name in ("input_values", "input_lengths") if heard}
        logits_LV = model(ids_L[None], **places).logits[0]
        found_R = logits_LV[packed.source_R].log_softmax(-1)[torch.arange(len(packed.target_R)), packed.target_R]
        torch.testing.assert_close(found_R, expected_R, atol=1e-5, rtol=0)
    assert model.state_dict().keys() >= {f"language.{name}" for name in built.model.list_checkpoint_tensors()}
    for name, value in built.model.list_checkpoint_tensors().items():
        assert torch.equal(model.state_dict()[f"language.{name}"], value), name
    assert AutoFeatureExtractor.from_pretrained(folder).feature_size == 80
    assert GenerationConfig.from_pretrained(folder).eos_token_id == template.turn_end[-1]


@pytest.fixture
def exported(run: Path) -> Path:
    folder = run.parent / "exported"
    assert main([str(run), str(folder)]) == 0
    return folder


@pytest.fixture
def clips() -> list[AudioClip]:
    rng = np.random.default_rng(5)
    return [AudioClip(rng.normal(0, 0.1, length).astype(np.float32)) for length in (6000, 11000, 3000)]


@pytest.mark.slow
def test_a_batch_with_labels_has_our_log_probabilities_and_their_mean_as_loss(
    run: Path, exported: Path, clips: list[AudioClip]
) -> None:
    model, processor = AutoModelForCausalLM.from_pretrained(exported).eval(), AutoProcessor.from_pretrained(exported)
    template = ChatTemplate(processor.tokenizer, NUM_QUERIES)
    said = ["[user]<|AUDIO|> and <|AUDIO|>, which is longer?<|end|>", "[user]<|AUDIO|> what?<|end|>"]
    replies = ["the second one", "rain"]
    built, expected = ours(run), []
    heard = [clips[:2], clips[2:]]
    with torch.no_grad():
        for question, reply, row in zip(said, replies, heard, strict=True):
            pieces = tuple(tuple(processor.tokenizer.encode(piece)) for piece in question.split(AUDIO))
            prompt = template.join_prompt(pieces, [PromptClip(1)] * len(row))
            group = PackedGroup((PackedRow(prompt, template.encode_reply(reply)),), NUM_QUERIES * len(row))
            features = pad_segments([part for clip in row for part in built.encoders(clip)])
            expected.append(built.model(pack_groups([group]), features))
    texts = [f"{question}{reply}<|end|>" for question, reply in zip(said, replies, strict=True)]
    for side in ("left", "right"):
        batch = processor(texts, [clip.samples for clip in clips], padding_side=side)
        labels = torch.full_like(batch["input_ids"], -100)
        for number, logprobs_R in enumerate(expected):
            (places,) = batch["attention_mask"][number].nonzero(as_tuple=True)
            reply_at = places[-len(logprobs_R) :]
            labels[number, reply_at] = batch["input_ids"][number, reply_at]
        out = model(**batch, labels=labels)
        for number, logprobs_R in enumerate(expected):
            (places,) = (labels[number] >= 0).nonzero(as_tuple=True)
            found_LV = out.logits[number, places - 1].log_softmax(-1)
            found_R = found_LV[torch.arange(len(places)), labels[number, places]]
            torch.testing.assert_close(found_R, logprobs_R, atol=1e-5, rtol=0)
        torch.testing.assert_close(out.loss, -torch.cat(expected).mean(), atol=1e-5, rtol=0)
    assert torch.isfinite(model(**batch, labels=batch["input_ids"]).loss), "an audio token has no loss"
    out.loss.backward()
    taught = {name for name, value in model.named_parameters() if value.grad is not None}
    assert taught == {name for name, value in model.named_parameters() if value.requires_grad}
    assert all("connector" in name or "lora" in name for name in taught)


@pytest.mark.slow
@torch.no_grad()
def test_generate_with_cache_writes_in_a_batch_what_it_writes_alone_without_cache(
    exported: Path, clips: list[AudioClip]
) -> None:
    model, processor = AutoModelForCausalLM.from_pretrained(exported).eval(), AutoProcessor.from_pretrained(exported)
    conversations = [
        [{"role": "user", "content": [{"type": "audio", "audio": clip.samples}, {"type": "text", "text": question}]}]
        for clip, question in zip(clips, ("What?", "Which animal is heard?", "Who speaks?"), strict=True)
    ]
    prepared = {"add_generation_prompt": True, "tokenize": True, "return_dict": True}
    batch = processor.apply_chat_template(conversations, **prepared)
    assert batch["input_values"].shape == (3, 1, 11000) and batch["input_lengths"].tolist() == [[6000], [11000], [3000]]
    settings = {"max_new_tokens": 4, "min_new_tokens": 4}
    together = model.generate(**batch, **settings)[:, batch["input_ids"].shape[1] :]
    beams = model.generate(**batch, **settings, num_beams=2)[:, batch["input_ids"].shape[1] :]
    for number, conversation in enumerate(conversations[:2]):
        one = processor.apply_chat_template([conversation], **prepared)
        length = one["input_ids"].shape[1]
        assert one["input_ids"].tolist()[0].count(processor.audio_token_id) == NUM_QUERIES
        assert torch.equal(model.generate(**one, **settings, use_cache=False)[0, length:], together[number])
        assert torch.equal(model.generate(**one, **settings, num_beams=2)[0, length:], beams[number])


@pytest.mark.slow
def test_the_examples_of_the_card_and_of_the_page_run(
    exported: Path, clips: list[AudioClip], monkeypatch: pytest.MonkeyPatch
) -> None:
    (card,) = re.findall(r"```python\n(.*?)```", (exported / "README.md").read_text(), re.DOTALL)
    ours = r"```python title=\"run by tests/lalm/export/test_hf_folder.py\"\n(.*?)```"
    (page,) = re.findall(ours, (DOCS / "exporting.md").read_text(), re.DOTALL)
    monkeypatch.chdir(exported.parent)
    soundfile.write("recording.wav", clips[0].samples, SAMPLE_RATE)
    names: dict[str, object] = {}
    exec(card, names)
    assert isinstance(names["replies"], list) and len(names["replies"]) == 2
    exec(page.replace("hf/tiny", str(exported)), names)
    assert isinstance(names["written"], torch.Tensor) and len(names["written"]) == 1


@pytest.mark.slow
def test_what_does_not_fit_together_is_refused(run: Path, exported: Path, clips: list[AudioClip]) -> None:
    model, processor = AutoModelForCausalLM.from_pretrained(exported).eval(), AutoProcessor.from_pretrained(exported)
    samples = clips[0].samples
    with pytest.raises(ValueError, match=r"The texts have 1 placeholders <\|AUDIO\|>, and there are 2 clips"):
        processor("<|AUDIO|> what?", [samples, samples])
    with pytest.raises(ValueError, match="max_length=5 is not understood"):
        processor("what?", max_length=5)
    with pytest.raises(ValueError, match="sampling_rate is 44100"):
        processor("<|AUDIO|>", samples, sampling_rate=44100)
    with pytest.raises(ValueError, match=r"shape \(2, 6000\)"):
        processor("<|AUDIO|>", np.stack([samples, samples]))
    with pytest.raises(ValueError, match=r"shape \(0,\)"):
        processor("<|AUDIO|>", samples[:0])
    batch = processor("<|AUDIO|> what?", samples)
    with pytest.raises(ValueError, match="places for 3 audio embeddings, and the clips take 0"):
        model(batch["input_ids"])
    mixed = processor(["<|AUDIO|> what?", "why?"], samples)
    if model.config.lora:
        with pytest.raises(ValueError, match="Of 2 sequences 1 have a clip"):
            model(**mixed)
    else:
        assert model(**mixed).logits.isfinite().all()
    assert processor("WORDS<|/AUDIO|>.")["input_ids"].tolist() == processor("WORDS.")["input_ids"].tolist()


@pytest.mark.slow
def test_an_existing_folder_and_a_run_without_weights_are_refused(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(run), str(run)]) == 2
    assert "exists" in capsys.readouterr().err
    (run.parent / "file").touch()
    assert main([str(run), str(run.parent / "file" / "exported")]) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith("lalm.export: ") and "file/exported' cannot be written: " in message
    (run / run_files.WEIGHTS).unlink()
    assert main([str(run), str(run.parent / "exported")]) == 2
    message = capsys.readouterr().err
    assert "holds no model.safetensors" in message and message.count("\n") == 1
    assert not (run.parent / "exported").exists()


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_leaves_nothing(
    run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Lalm, folder: Path) -> None:
        raise SafetensorError("I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(Lalm, "save_pretrained", full)
    assert main([str(run), str(run.parent / "exported")]) == 2
    assert "exported' cannot be written: I/O error: No space left" in capsys.readouterr().err.splitlines()[-1]
    assert not list(run.parent.glob("exported*"))
