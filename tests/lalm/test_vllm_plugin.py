"""Our LALM in the real engine, against our own: needs vLLM 0.32.0, see docs/vllm.md.

python -m pytest -m vllm tests/lalm/test_vllm_plugin.py
"""

from collections.abc import Callable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import yaml
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedTokenizerFast

import lalm
from lalm import checkpoint
from lalm.build import Built, build
from lalm.config import TrainConfig
from lalm.encoder import num_segments, padded
from lalm.export import export
from lalm.packing import Group, Row, pack
from lalm.prompting import beside_audio
from lalm.template import Heard
from lalm.vllm_plugin import PINNED
from services.types import AudioClip, Message

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

NUM_QUERIES = 5
SIZES = {"hidden_size": 128, "head_dim": 32, "num_attention_heads": 4, "num_key_value_heads": 2}  # vLLM's smallest
BLOCK = 32  # tokens that are kept together
FAMILIES = ("llama", "qwen2", "qwen3", "phi3", "olmo2", "gemma3_text")
QUESTIONS = ("What is heard?", "Which of these sounds comes first, and what is it like?")
OPTIONS = ("A dog barks", "A bell", "Rain falls on a roof")


@pytest.fixture(autouse=True)
def _small_and_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the engine 1 GB, in a process of its own: it changes classes of transformers where it runs."""
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


class Engines(NamedTuple):
    """The same run here and in vLLM."""

    ours: Built
    theirs: Any
    place: int
    """Token of a clip."""

    def gap(self, question: str, clips: Sequence[AudioClip], transcript: str) -> tuple[float, int]:
        """Return the largest difference of a log-probability, and how many tokens vLLM had kept.

        Asserts that both rank the options the same.
        """
        text = beside_audio(question) if len(clips) == 1 else question + "<|AUDIO|> and <|AUDIO|>"
        heard = [Heard(num_segments(clip), transcript) for clip in clips]
        prompt = self.ours.template.prompt([Message(role="user", content=text)], heard)
        replies = [self.ours.template.reply(option) for option in OPTIONS]
        segments = [part for clip in clips for part in self.ours.encoder(clip)]
        group = Group(tuple(Row(prompt, reply) for reply in replies), NUM_QUERIES * len(segments))
        with torch.inference_mode():
            expected = self.ours.model(pack([group]), padded(segments)).tolist()
        starts = {-1 - NUM_QUERIES * sum(map(num_segments, clips[:number])) for number in range(len(clips))}
        sent = [self.place if token in starts else token for token in prompt if token >= 0 or token in starts]
        scored = [token for reply in replies for token in self._scored(sent, reply, clips, len(prompt))]
        assert _ranking(scored, replies) == _ranking(expected, replies)
        first = self._asked(sent, clips, max_tokens=1)
        assert len(first.prompt_token_ids) == len(prompt)
        return max(abs(a - b) for a, b in zip(scored, expected, strict=True)), first.num_cached_tokens

    def _scored(self, sent: list[int], reply: Sequence[int], clips: Sequence[AudioClip], start: int) -> list[float]:
        answer = self._asked([*sent, *reply], clips, max_tokens=1, prompt_logprobs=0)
        tail = answer.prompt_logprobs[start : start + len(reply)]
        return [top[token].logprob for top, token in zip(tail, reply, strict=True)]

    def _asked(self, sent: list[int], clips: Sequence[AudioClip], **how: int) -> Any:  # noqa: ANN401 - vLLM's own
        from vllm import SamplingParams

        prompt = {"prompt_token_ids": sent, "multi_modal_data": {"audio": [clip.samples for clip in clips]}}
        return self.theirs.generate(prompt, SamplingParams(temperature=0, **how), use_tqdm=False)[0]


def _ranking(logprobs: Sequence[float], replies: Sequence[Sequence[int]]) -> list[int]:
    values = iter(logprobs)
    means = [sum(next(values) for _ in reply) / len(reply) for reply in replies]
    return sorted(range(len(replies)), key=means.__getitem__)


@pytest.fixture
def open_both(tmp_path: Path) -> Iterator[Callable[[Path], Engines]]:
    """Return how a run is opened in both engines."""
    opened: list[Any] = []

    def both(run: Path) -> Engines:
        from vllm import LLM

        config = checkpoint.read_config(run).model.model_copy(update={"dtype": "float32"})
        ours = build(config, torch.device("cpu"))
        checkpoint.load_weights(ours.model, run)
        ours.model.eval()
        export(run, tmp_path / "exported")
        theirs = LLM(
            str(tmp_path / "exported"),
            dtype="float32",
            max_model_len=512,
            max_num_batched_tokens=512,
            max_num_seqs=4,
            block_size=BLOCK,
            enforce_eager=True,
            limit_mm_per_prompt={"audio": 2},
        )
        opened.append(theirs)
        return Engines(ours, theirs, theirs.get_tokenizer().convert_tokens_to_ids("<|AUDIO|>"))

    yield both
    for engine in opened:
        engine.llm_engine.engine_core.shutdown()


def random_run(root: Path, family: str, tokenizer: PreTrainedTokenizerFast, encoder: Path) -> Path:
    """Write a run of random models, adapters and connector included."""
    torch.manual_seed(7)
    sliding = {"sliding_window": 24, "layer_types": ["sliding_attention", "full_attention"]}
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
        **SIZES,
        **(sliding if family == "gemma3_text" else {}),
    )
    AutoModelForCausalLM.from_config(config).save_pretrained(root / family)
    tokenizer.save_pretrained(root / family)
    model = {
        "encoder": str(encoder),
        "backbone": str(root / family),
        "connector": {"num_queries": NUM_QUERIES, "num_layers": 1, "num_taps": 2, "ffn_width": 32},
        "lora": {"rank": 2, "alpha": 4, "dropout": 0.1},
        "window": "trimmed",
        "dtype": "float32",
    }
    content = {
        "name": family,
        "model": model,
        "data": {"files": [], "audio_root": "."},
        "optimizer": {"num_steps": 1},
    }
    (root / "run").mkdir()
    (root / "run" / checkpoint.CONFIG).write_text(yaml.safe_dump(content))
    built = build(TrainConfig.model_validate(content).model, torch.device("cpu"))
    with torch.no_grad():
        for _, value in built.model.trained():
            value.add_(torch.randn_like(value) * 0.05)
    checkpoint.export_weights(built.model, root / "run", torch.float32)
    return root / "run"


def test_the_pinned_vllm_is_installed() -> None:
    installed = version("vllm")
    assert installed.partition("+")[0] == PINNED, f"vLLM {installed} is installed; the plugin is for {PINNED}"


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_scores_options_as_our_own_model_does(
    family: str,
    tmp_path: Path,
    tokenizer: PreTrainedTokenizerFast,
    encoder_folder: Path,
    make_clip: Callable[..., AudioClip],
    open_both: Callable[[Path], Engines],
) -> None:
    engines = open_both(random_run(tmp_path, family, tokenizer, encoder_folder))
    short, long, other = make_clip(2.5), make_clip(31.0, seed=1), make_clip(0.7, seed=2)
    for clips in ((short,), (long,), (other, long)):
        gap, _ = engines.gap(QUESTIONS[0], clips, "")
        assert gap < 0.05, (len(clips), gap)


@pytest.mark.weights
def test_the_shipped_lalm_scores_options_as_our_own_model_does(open_both: Callable[[Path], Engines]) -> None:
    from deploy.demo import EXCERPTS
    from services import audio, weights

    engines = open_both(Path(lalm.__file__).with_name("earwitness-tiny"))
    files = {excerpt.weights: excerpt.file for excerpt in EXCERPTS}
    for source, file in files.items():
        whole = audio.load(weights.folder(source) / file)
        clip = AudioClip(whole.samples[: 31 * 16_000])
        kept = []
        for question in QUESTIONS:
            gap, num_kept = engines.gap(question, (clip,), "It was the best of times.")
            assert gap < 0.05, (file, question, gap)
            kept.append(num_kept)
        assert kept[1] >= BLOCK, "the second question about a clip begins with what was kept of the first"
