"""Qwen2-Audio and Qwen2.5-Omni in this process. The models are random and tiny, of the same classes, made here."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event

import numpy as np
import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import (
    PreTrainedTokenizerFast,
    Qwen2_5OmniThinkerConfig,
    Qwen2_5OmniThinkerForConditionalGeneration,
    Qwen2AudioConfig,
    Qwen2AudioForConditionalGeneration,
    WhisperFeatureExtractor,
)

from lalm.catalog import open_lalm
from lalm.runtimes.qwen import InProcessQwen
from services.errors import ModelError, TooLarge
from services.types import AudioClip, Choice, Message, Reading

SPECIAL = ["<pad>", "<|im_start|>", "<|im_end|>", "<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"]
WORDS = [*SPECIAL, "A", "B", "what", "user", "assistant", "Audio", "1:", "2:", "image", "video"]
CHOICES = (Choice(letter="A", text="dog"), Choice(letter="B", text="cat"))
HUB_NAMES = {"qwen2-audio-7b": "Qwen2-Audio-7B-Instruct", "qwen2.5-omni-3b": "Qwen2.5-Omni-3B"}
ASKED = (Message(role="user", content="what"),)
TEXT = {
    "vocab_size": len(WORDS),
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "pad_token_id": 0,
    "eos_token_id": 2,
    "bos_token_id": 1,
}
ENCODER = {
    "d_model": 32,
    "encoder_layers": 1,
    "encoder_attention_heads": 2,
    "encoder_ffn_dim": 64,
    "num_mel_bins": 80,
}


def clip(seconds: float, seed: int = 0) -> AudioClip:
    noise = np.random.default_rng(seed).uniform(-0.5, 0.5, round(seconds * 16_000))
    return AudioClip(noise.astype(np.float32))


def beside(path: Path) -> None:
    words = Tokenizer(WordLevel({word: number for number, word in enumerate(WORDS)}, unk_token="<pad>"))
    words.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", additional_special_tokens=SPECIAL[1:]
    )
    tokenizer.save_pretrained(path)
    WhisperFeatureExtractor(feature_size=80).save_pretrained(path)


def qwen2_audio(path: Path) -> None:
    config = Qwen2AudioConfig(
        audio_config={**ENCODER, "model_type": "qwen2_audio_encoder"},
        text_config={**TEXT, "model_type": "qwen2"},
        audio_token_index=WORDS.index("<|AUDIO|>"),
    )
    Qwen2AudioForConditionalGeneration(config).save_pretrained(path)


def qwen_omni(path: Path) -> None:
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10_000.0}
    config = Qwen2_5OmniThinkerConfig(
        audio_config={**ENCODER, "output_dim": 32, "n_window": 50},
        vision_config={"depth": 1, "hidden_size": 32, "intermediate_size": 32, "num_heads": 2, "out_hidden_size": 32},
        text_config={**TEXT, "rope_parameters": rope},
        audio_token_index=WORDS.index("<|AUDIO|>"),
        image_token_index=WORDS.index("image"),
        video_token_index=WORDS.index("video"),
        vision_start_token_id=len(WORDS),
        audio_start_token_id=WORDS.index("<|audio_bos|>"),
        audio_end_token_id=WORDS.index("<|audio_eos|>"),
    )
    Qwen2_5OmniThinkerForConditionalGeneration(config).save_pretrained(path)


@pytest.fixture(autouse=True)
def without_card_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lalm.runtimes.qwen.has_card_tools", lambda: False)  # these folders hold no processor


@pytest.fixture(scope="module", params=[qwen2_audio, qwen_omni])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("qwen")
    torch.manual_seed(0)
    request.param(path)
    beside(path)
    return path


@pytest.mark.slow
async def test_options_are_scored_by_what_is_heard(folder: Path) -> None:
    lalm = open_lalm(str(folder))
    assert isinstance(lalm, InProcessQwen)
    first = await lalm.choose(ASKED, clip(1), CHOICES)
    other = await lalm.choose(ASKED, clip(1, seed=1), CHOICES)
    assert sum(first.probabilities.values()) == pytest.approx(1)
    assert first.probabilities != other.probabilities
    assert first == await lalm.choose(ASKED, clip(1), CHOICES)


@pytest.mark.slow
async def test_a_second_is_25_tokens_and_a_long_clip_is_heard_in_parts(folder: Path) -> None:
    lalm = open_lalm(str(folder))
    one = (await lalm.choose(ASKED, clip(10), CHOICES)).usage.prompt_tokens
    two = (await lalm.choose(ASKED, clip(20), CHOICES)).usage.prompt_tokens
    parts = (await lalm.choose(ASKED, clip(40), CHOICES)).usage.prompt_tokens
    assert two - one == 250
    assert parts > 1000
    with pytest.raises(TooLarge, match=r"lasts 250\.0 s"):
        await lalm.choose(ASKED, clip(250), CHOICES)


@pytest.mark.slow
async def test_an_open_question_gets_words(folder: Path) -> None:
    reading = await open_lalm(str(folder)).listen(ASKED, clip(1))
    assert reading.usage.completion_tokens > 0


@pytest.mark.slow
async def test_who_gives_up_keeps_the_turn_until_the_model_is_free(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lalm = open_lalm(str(folder))
    begun, now, most = Event(), 0, 0

    def score(*_: object) -> Reading:
        nonlocal now, most
        now += 1
        most = max(most, now)
        begun.set()
        time.sleep(0.3)
        now -= 1
        return Reading(reply="A")

    monkeypatch.setattr(lalm, "_score", score)
    first, second = (asyncio.create_task(lalm.choose(ASKED, clip(1), CHOICES)) for _ in range(2))
    await asyncio.to_thread(begun.wait, 10)
    first.cancel()
    assert (await second).reply == "A"
    assert most == 1


@pytest.mark.slow
@pytest.mark.parametrize(("name", "make"), [("qwen2-audio-7b", qwen2_audio), ("qwen2.5-omni-3b", qwen_omni)])
async def test_by_name_it_comes_from_the_hub_with_its_revision(
    name: str, make: Callable[[Path], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match=rf"is neither on this disk nor .* For '{name}' on a server: --lalm-url URL"):
        open_lalm(name)
    kept = tmp_path / f"models--Qwen--{HUB_NAMES[name]}"
    (kept / "refs").mkdir(parents=True)
    (kept / "refs" / "main").write_text("0123abcd")
    make(kept / "snapshots" / "0123abcd")
    beside(kept / "snapshots" / "0123abcd")
    lalm = open_lalm(name)
    assert (lalm.name, lalm.revision) == (name, "0123abcd")
    assert set((await lalm.choose(ASKED, clip(1), CHOICES)).probabilities) == {"A", "B"}


def test_a_folder_that_holds_something_else_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        open_lalm(str(tmp_path))
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(ModelError, match="model of type 'bert'"):
        open_lalm(str(tmp_path))


def without_head(tensors: dict[str, torch.Tensor]) -> None:
    del tensors[next(name for name in tensors if name.endswith("lm_head.weight"))]


def misshapen(tensors: dict[str, torch.Tensor]) -> None:
    tensors[next(name for name in tensors if name.endswith("embed_tokens.weight"))] = torch.ones(3, 5)


def with_more(tensors: dict[str, torch.Tensor]) -> None:
    tensors["thinker.more"] = torch.ones(1)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without_head, "lacks 1 tensors of a"),
        (misshapen, r"embed_tokens\.weight has the shape \(3, 5\) instead of \(16, 32\)"),
        (with_more, "holds 1 tensors that are not part of a .*, such as .*more"),
    ],
)
def test_weights_that_do_not_fit_are_named(
    folder: Path, tmp_path: Path, change: Callable[[dict[str, torch.Tensor]], None], reason: str
) -> None:
    shutil.copytree(folder, tmp_path / "changed")
    tensors = load_file(tmp_path / "changed" / "model.safetensors")
    change(tensors)
    save_file(tensors, tmp_path / "changed" / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=reason):
        open_lalm(str(tmp_path / "changed"))


@pytest.mark.slow
def test_a_file_that_was_cut_off_is_named(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ModelError, match="cannot be opened as a LALM"):
        open_lalm(str(tmp_path / "cut"))


@pytest.mark.slow
def test_the_parts_of_qwen_omni_that_speak_are_left_aside(tmp_path: Path) -> None:
    qwen_omni(tmp_path)
    beside(tmp_path)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors = {**tensors, "talker.norm.weight": torch.ones(1), "token2wav.norm.weight": torch.ones(1)}
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    assert isinstance(open_lalm(str(tmp_path)), InProcessQwen)
