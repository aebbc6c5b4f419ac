"""Tiny random models, made here: no download, no weights, fractions of a second."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, WhisperConfig
from transformers.models.auto.configuration_auto import AutoConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from lalm.model.template import ChatTemplate
from lalm.train.config import TrainConfig
from services.settings import read_settings
from services.types import SAMPLE_RATE, AudioClip

FAMILIES = ("llama", "qwen2", "qwen3", "phi3", "olmo2", "gemma3_text", "mistral")
WINDOW = 24  # tokens that a sliding layer looks back
LAYERS = {"layer_types": ["sliding_attention", "full_attention"]}
NUM_QUERIES = 5
TEXT = "Question: what is heard? A dog barks, a bell rings, rain falls. The answer is: a cat and a violin."
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def _tokenizer(chat_template: str = CHATML) -> PreTrainedTokenizerFast:
    """Return a byte-level tokenizer; as with Phi, its end of a text is not its end of a turn."""
    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|end|>", "<|assistant|>", "<|user|>", "<|system|>"]
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    core.train_from_iterator([TEXT] * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=core, eos_token="<|endoftext|>", chat_template=chat_template)


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerFast:
    return _tokenizer()


@pytest.fixture(scope="session")
def make_tokenizer() -> Callable[[str], PreTrainedTokenizerFast]:
    """Return how a tokenizer with another chat template is made."""
    return _tokenizer


@pytest.fixture(scope="session")
def template(tokenizer: PreTrainedTokenizerFast) -> ChatTemplate:
    return ChatTemplate(tokenizer, NUM_QUERIES)


@pytest.fixture(params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    """Return each family in turn."""
    return str(request.param)


@pytest.fixture(scope="session")
def backbones(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the folder of a random causal LM of a family, two layers deep."""
    root = tmp_path_factory.mktemp("backbones")
    sliding = {"gemma3_text": LAYERS, "mistral": {}}

    def folder(family: str) -> Path:
        if not (root / family).is_dir():
            sizes = {"hidden_size": 64, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16}
            windows = {"sliding_window": WINDOW, **sliding[family]} if family in sliding else {}
            _write_backbone(root / family, family, **sizes, **windows)
        return root / family

    return folder


@pytest.fixture(scope="session")
def write_backbone() -> Callable[..., None]:
    """Return how a random causal LM of other sizes is written to a folder."""
    return _write_backbone


def _write_backbone(folder: Path, family: str, **sizes: object) -> None:
    torch.manual_seed(7)
    config = AutoConfig.for_model(
        family,
        vocab_size=336,
        intermediate_size=96,
        num_hidden_layers=2,
        max_position_embeddings=512,
        initializer_range=0.1,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        **sizes,
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    _tokenizer().save_pretrained(folder)


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a random Whisper encoder of four layers."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(3)
    WhisperEncoder(whisper_config()).save_pretrained(folder)
    return folder


def whisper_config() -> WhisperConfig:
    return WhisperConfig(
        d_model=64,
        encoder_layers=4,
        encoder_attention_heads=4,
        encoder_ffn_dim=96,
        decoder_layers=1,
        decoder_attention_heads=4,
        decoder_ffn_dim=96,
        init_std=0.1,
        vocab_size=64,
        pad_token_id=0,
        bos_token_id=0,
        eos_token_id=0,
        decoder_start_token_id=0,
    )


@pytest.fixture(scope="session")
def make_clip() -> Callable[..., AudioClip]:
    """Return how noise of a given length is made; every seed is another clip."""

    def made(seconds: float, seed: int = 0) -> AudioClip:
        samples = np.random.default_rng(seed).normal(0, 0.1, round(seconds * SAMPLE_RATE)).astype(np.float32)
        return AudioClip(samples)

    return made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep features in a folder of the test's own."""
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path / "home"))
    read_settings.cache_clear()
    yield tmp_path / "home"
    read_settings.cache_clear()


@pytest.fixture
def make_run(tmp_path: Path, home: Path, backbones: Callable[[str], Path], encoder_folder: Path) -> Callable[..., Path]:
    """Return how a configuration with its rows and clips is written: the path of the YAML file."""

    def written(*, num_clips: int = 6, family: str = "llama", **changes: object) -> Path:
        rng = np.random.default_rng(1)
        (tmp_path / "audio").mkdir(exist_ok=True)
        lines = []
        for number in range(num_clips):
            path = f"{number}.wav"
            soundfile.write(tmp_path / "audio" / path, rng.normal(0, 0.1, 8000 + 800 * number), SAMPLE_RATE)
            for question, reply in (("What is heard?", f"A bell number {number % 2}."), ("What barks?", "A dog.")):
                content = f"<start_audio><|AUDIO|><end_audio>\n\n{question}"
                turn = {"role": "user", "content": content, "audios": [{"audio": path, "text": " "}]}
                lines.append(json.dumps({"messages": [turn], "response": reply}))
        (tmp_path / "train.jsonl").write_text("\n".join(lines))
        content = {
            "name": "test",
            "model": {
                "encoder": str(encoder_folder),
                "backbone": str(backbones(family)),
                "connector": {"num_queries": NUM_QUERIES, "num_layers": 1, "num_taps": 2, "ffn_width": 32},
                "lora": {"rank": 2, "alpha": 4, "dropout": 0.1},
                "window": "trimmed",
                "dtype": "float32",
            },
            "data": {
                "files": ["train.jsonl"],
                "audio_root": "audio",
                "validation": 0.2,
                "transcripts": "rows",
                "max_length": 96,
            },
            "optimizer": {"num_steps": 4, "warmup_steps": 1, "learning_rate": 0.01, "lora_learning_rate": 0.01},
            "batch": {"tokens": 96, "sequences_per_step": 2, "rows_per_clip": 2},
            "save_every": 2,
        }
        for key, value in changes.items():
            part, _, name = key.partition("__")
            if name:
                content.setdefault(part, {})[name] = value
            else:
                content[part] = value
        (tmp_path / "run.yaml").write_text(yaml.safe_dump(content))
        TrainConfig.model_validate(content)
        return tmp_path / "run.yaml"

    return written
