"""Preparation as the model cards do it. A stand-in for qwen-omni-utils hands arrays over, as the package does."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from transformers import PreTrainedTokenizerFast, Qwen2AudioProcessor, WhisperFeatureExtractor

from lalm.runtimes.qwen import JOINED, InProcessQwen
from lalm.runtimes.qwen_card import CardPreparation, has_card_tools
from services.errors import ModelError
from services.types import Message

MARKS = ["<|im_start|>", "<|im_end|>", "<|audio_bos|>", "<|AUDIO|>", "<|audio_eos|>"]
ASKED = (Message(role="system", content="be brief"), Message(role="user", content="what"))
UTILS = '''
def process_mm_info(conversation, use_audio_in_video):
    """Give arrays back as they are."""
    parts = [part for message in conversation for part in message["content"]]
    return [part["audio"] for part in parts if part["type"] == "audio"], None, None
'''


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delitem(sys.modules, "qwen_omni_utils", raising=False)
    package = tmp_path / "site" / "qwen_omni_utils"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(UTILS)
    about = package.with_name("qwen_omni_utils-0.0.9.dist-info")
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: qwen-omni-utils\nVersion: 0.0.9\n")
    monkeypatch.syspath_prepend(str(package.parent))
    yield
    sys.modules.pop("qwen_omni_utils", None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    words = [*MARKS, "<unk>", "system", "user", "assistant", "be", "brief", "what", "Audio", "1:", "2:"]
    model = Tokenizer(WordLevel({word: number for number, word in enumerate(words)}, unk_token="<unk>"))
    model.pre_tokenizer = WhitespaceSplit()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=model, pad_token="<unk>", additional_special_tokens=MARKS)
    Qwen2AudioProcessor(WhisperFeatureExtractor(), tokenizer).save_pretrained(tmp_path / "model")
    return tmp_path / "model"


class WithoutModel(InProcessQwen):
    """Our own preparation, of Qwen2-Audio."""

    def __init__(self, folder: Path) -> None:
        self._tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        self._features = WhisperFeatureExtractor.from_pretrained(folder)
        self._numbers_clips = True


@pytest.mark.usefixtures("tools")
@pytest.mark.parametrize("num_parts", [1, 2])
def test_the_card_and_our_code_make_the_same_of_a_prompt(folder: Path, num_parts: int) -> None:
    assert has_card_tools()
    card = CardPreparation(folder)
    assert card.revision == "qwen-omni-utils-0.0.9"
    noise = np.random.default_rng(0)
    parts = [noise.uniform(-0.5, 0.5, 16_000 * (number + 1)).astype(np.float32) for number in range(num_parts)]
    note = JOINED.format(num_parts=num_parts) if num_parts > 1 else ""
    theirs, ours = card(ASKED, parts, note), WithoutModel(folder)._prepare(ASKED, parts, note)
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[key], ours[key].to(theirs[key].dtype)) for key in ours)


@pytest.mark.usefixtures("tools")
def test_a_template_of_the_card_adds_a_system_message_where_there_is_none(folder: Path) -> None:
    noise = [np.zeros(16_000, dtype=np.float32)]
    theirs, ours = CardPreparation(folder)(ASKED[1:], noise, ""), WithoutModel(folder)._prepare(ASKED[1:], noise, "")
    assert theirs["input_ids"].shape[1] > ours["input_ids"].shape[1]
    assert torch.equal(theirs["input_features"], ours["input_features"])


@pytest.mark.usefixtures("tools")
def test_a_folder_without_a_processor_names_the_extra(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"holds no processor that opens here: .*earwitness\[qwen\]"):
        CardPreparation(tmp_path)
