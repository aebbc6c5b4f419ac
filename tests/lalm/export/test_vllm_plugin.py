"""Our LALM in the real engine, against our own: needs vLLM 0.32.0, see docs/exporting.md.

python -m pytest -m vllm tests/lalm/export/test_vllm_plugin.py
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch
import yaml

import lalm
from lalm.export.hf_folder import export
from lalm.export.vllm_plugin import ARCHITECTURE, register
from lalm.export.vllm_version import REPLY
from lalm.model.build import LalmComponents, build
from lalm.model.frames import count_segments, pad_segments
from lalm.model.packing import PackedGroup, PackedRow, pack_groups
from lalm.model.template import PromptClip
from lalm.prompting import insert_audio
from lalm.train import checkpoint, run_files
from lalm.train.config import TrainConfig
from services.audio import load as audio
from services.types import AudioClip, Message

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(900)]

NUM_QUERIES = 5
SIZES = {"hidden_size": 128, "head_dim": 32, "num_attention_heads": 4, "num_key_value_heads": 2}  # vLLM's smallest
BLOCK = 32  # tokens that are kept together
FAMILIES = ("llama", "qwen2", "qwen3", "phi3", "olmo2", "olmo3", "gemma3_text")
SLIDING = ("olmo3", "gemma3_text")
RECORDINGS = Path(__file__).parents[4] / "shared" / "audio" / "dev" / "audio"
NUM_RECORDINGS = 8
CLOSE = 0.05  # that both log-probabilities of a token are apart, at most
QUESTIONS = ("What is heard?", "Which of these sounds comes first, and what is it like?")
OPTIONS = ("A dog barks", "A bell", "Rain falls on a roof")


@pytest.fixture(autouse=True)
def _small_and_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give the engine 1 GB, in a process of its own: it changes classes of transformers where it runs."""
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("VLLM_ALLOW_INSECURE_SERIALIZATION", "1")  # to count in its process how often it hears


class Compared(NamedTuple):
    """One prompt in both engines."""

    gap: float
    """Largest difference of a log-probability, however vLLM was asked for it."""
    num_kept: int
    """Tokens of the first request that vLLM had kept."""
    num_kept_of_replies: int
    """The same of the scoring of the last option, where it says the option."""


class Engines(NamedTuple):
    """The same run here and in vLLM."""

    ours: LalmComponents
    theirs: Any
    place: int
    """Token of a clip."""

    def compare(self, question: str, clips: Sequence[AudioClip], transcript: str) -> Compared:
        """Score the options in both; asserts that they rank them the same."""
        text = insert_audio(question) if len(clips) == 1 else question + "<|AUDIO|> and <|AUDIO|>"
        heard = [PromptClip(count_segments(clip), transcript) for clip in clips]
        prompt = self.ours.template.encode_prompt([Message(role="user", content=text)], heard)
        replies = [self.ours.template.encode_reply(option) for option in OPTIONS]
        segments = [part for clip in clips for part in self.ours.encoders(clip)]
        num_queries = self.ours.model.connector.queries_KQD.shape[1]
        group = PackedGroup(tuple(PackedRow(prompt, reply) for reply in replies), num_queries * len(segments))
        with torch.inference_mode():
            expected = self.ours.model(pack_groups([group]), pad_segments(segments)).tolist()
        starts = {-1 - num_queries * sum(map(count_segments, clips[:number])) for number in range(len(clips))}
        sent = [self.place if token in starts else token for token in prompt if token >= 0 or token in starts]
        first = self._asked(sent, clips, max_tokens=1)
        assert len(first.prompt_token_ids) == len(prompt)
        said = [self._says(sent, reply, clips) for reply in replies]
        read = [token for reply in replies for token in self._reads(sent, reply, clips, len(prompt))]
        spoken = [token for logprobs, _ in said for token in logprobs]
        for scored in (read, spoken):
            assert _ranking(scored, replies) == _ranking(expected, replies)
        gap = max(abs(a - b) for scored in (read, spoken) for a, b in zip(scored, expected, strict=True))
        return Compared(gap, first.num_cached_tokens, said[-1][1])

    def times_heard(self) -> int:
        """Return how many clips vLLM's encoder has heard since `count` was called."""
        (number,) = self.theirs.collective_rpc(lambda worker: worker.get_model().times_heard)
        return int(number)

    def count(self) -> None:
        """Have vLLM count the clips that its encoder hears."""

        def counted(worker: Any) -> None:  # noqa: ANN401 - vLLM's own, in its process
            model = worker.get_model()
            listen, model.times_heard = model._embed_clip, 0

            def listened(samples: torch.Tensor) -> torch.Tensor:
                model.times_heard += 1
                return listen(samples)

            model._embed_clip = listened

        self.theirs.collective_rpc(counted)  # `apply_model` would pickle it by name

    def _reads(self, sent: list[int], reply: Sequence[int], clips: Sequence[AudioClip], start: int) -> list[float]:
        """Return log-probabilities of a reply that stands in the prompt."""
        answer = self._asked([*sent, *reply], clips, max_tokens=1, prompt_logprobs=0)
        tail = answer.prompt_logprobs[start : start + len(reply)]
        return [top[token].logprob for top, token in zip(tail, reply, strict=True)]

    def _says(self, sent: list[int], reply: Sequence[int], clips: Sequence[AudioClip]) -> tuple[list[float], int]:
        """Return log-probabilities of a reply that is said, and how many tokens had been kept."""
        answer = self._asked(
            sent, clips, max_tokens=len(reply), logprobs=0, ignore_eos=True, extra_args={REPLY: list(reply)}
        )
        first = answer.outputs[0]
        assert tuple(first.token_ids) == tuple(reply)
        logprobs = [top[token].logprob for top, token in zip(first.logprobs, reply, strict=True)]
        return logprobs, answer.num_cached_tokens

    def _asked(self, sent: list[int], clips: Sequence[AudioClip], **how: object) -> Any:  # noqa: ANN401 - vLLM's own
        from vllm import SamplingParams

        prompt = {"prompt_token_ids": sent, "multi_modal_data": {"audio": [clip.samples for clip in clips]}}
        return self.theirs.generate(prompt, SamplingParams(temperature=0, **how), use_tqdm=False)[0]


def _ranking(logprobs: Sequence[float], replies: Sequence[Sequence[int]]) -> list[int]:
    values = iter(logprobs)
    means = [sum(next(values) for _ in reply) / len(reply) for reply in replies]
    return sorted(range(len(replies)), key=means.__getitem__)


@pytest.fixture
def open_both(tmp_path: Path) -> Iterator[Callable[..., Engines]]:
    """Return how a run is opened in both engines, the backbone in vLLM's split over so many workers."""
    opened: list[Any] = []

    def both(run: Path, num_workers: int = 1) -> Engines:
        from vllm import LLM

        config = run_files.read_config(run).model.model_copy(update={"dtype": "float32"})
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
            tensor_parallel_size=num_workers,
            limit_mm_per_prompt={"audio": 2},
            logits_processors=["lalm.export.vllm_reply:ForcedReplyProcessor"],
        )
        opened.append(theirs)
        return Engines(ours, theirs, theirs.get_tokenizer().convert_tokens_to_ids("<|AUDIO|>"))

    yield both
    for engine in opened:
        engine.llm_engine.engine_core.shutdown()


def random_run(root: Path, family: str, write_backbone: Callable[..., None], encoder: Path) -> Path:
    """Write a run of random models, adapters and connector included."""
    sliding = {"sliding_window": 24, "layer_types": ["sliding_attention", "full_attention"]}
    write_backbone(root / family, family, **SIZES, **(sliding if family in SLIDING else {}))
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
    (root / "run" / run_files.CONFIG).write_text(yaml.safe_dump(content))
    built = build(TrainConfig.model_validate(content).model, torch.device("cpu"))
    with torch.no_grad():
        for _, value in built.model.list_trained_parameters():
            value.add_(torch.randn_like(value) * 0.05)
    checkpoint.export_weights(built.model, root / "run", torch.float32)
    return root / "run"


def test_the_pinned_vllm_is_installed_and_knows_the_model_once_it_is_registered() -> None:
    from vllm import ModelRegistry

    register()  # raises where another version is installed
    assert ARCHITECTURE in ModelRegistry.get_supported_archs()


def test_the_private_methods_that_the_model_calls_or_overrides_exist() -> None:
    from vllm.model_executor.models.interfaces import SupportsMultiModal
    from vllm.multimodal.processing import BaseDummyInputsBuilder, BaseMultiModalProcessor

    needed = {
        SupportsMultiModal: ("_mark_tower_model", "_mark_language_model"),
        BaseDummyInputsBuilder: ("_get_dummy_audios",),
        BaseMultiModalProcessor: ("_call_hf_processor", "_get_mm_fields_config", "_get_prompt_updates"),
    }
    assert [name for owner, names in needed.items() for name in names if not hasattr(owner, name)] == []


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_scores_options_as_our_own_model_does(
    family: str,
    tmp_path: Path,
    write_backbone: Callable[..., None],
    encoder_folder: Path,
    make_clip: Callable[..., AudioClip],
    open_both: Callable[..., Engines],
) -> None:
    engines = open_both(random_run(tmp_path, family, write_backbone, encoder_folder))
    short, long, other = make_clip(2.5), make_clip(31.0, seed=1), make_clip(0.7, seed=2)
    for clips in ((short,), (long,), (other, long)):
        gap = engines.compare(QUESTIONS[0], clips, "").gap
        assert gap < CLOSE, (len(clips), gap)


def test_a_backbone_split_over_two_workers_scores_the_same(
    tmp_path: Path,
    write_backbone: Callable[..., None],
    encoder_folder: Path,
    make_clip: Callable[..., AudioClip],
    open_both: Callable[..., Engines],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VLLM_CPU_OMP_THREADS_BIND", "0|1")  # a core each, where it would want a NUMA node each
    engines = open_both(random_run(tmp_path, "llama", write_backbone, encoder_folder), num_workers=2)
    assert engines.compare(QUESTIONS[0], (make_clip(2.5),), "").gap < CLOSE


@pytest.mark.weights
def test_the_shipped_lalm_scores_options_as_our_own_model_does(open_both: Callable[..., Engines]) -> None:
    from deploy.console.demo import EXCERPTS
    from services.weights import store as weights

    engines = open_both(Path(lalm.__file__).with_name("earwitness-tiny"))
    engines.count()
    files = {excerpt.weights: excerpt.file for excerpt in EXCERPTS}
    for source, file in files.items():
        whole = audio.load(weights.ensure_folder(source) / file)
        clip = AudioClip(whole.samples[: 31 * 16_000])
        results = [engines.compare(question, (clip,), "It was the best of times.") for question in QUESTIONS]
        assert max(result.gap for result in results) < CLOSE, (file, results)
        assert results[1].num_kept >= BLOCK, "the second question about a clip begins with what was kept of the first"
        assert results[0].num_kept_of_replies >= 2 * BLOCK, "an option begins with what was kept of the one before"
    assert engines.times_heard() == len(files), "a clip is heard once, however many questions are asked about it"


@pytest.mark.weights
@pytest.mark.skipif(not RECORDINGS.is_dir(), reason=f"no recordings in {RECORDINGS}")
def test_eight_recordings_are_heard_as_by_our_own_model(open_both: Callable[..., Engines]) -> None:
    files = sorted(RECORDINGS.iterdir())
    engines = open_both(Path(lalm.__file__).with_name("earwitness-tiny"))
    engines.count()
    for file in files[:: len(files) // NUM_RECORDINGS][:NUM_RECORDINGS]:
        clip = audio.load(file)
        first, second = (engines.compare(question, (clip,), "") for question in QUESTIONS)
        assert max(first.gap, second.gap) < CLOSE, (file.name, first, second)
        assert second.num_kept >= BLOCK, (file.name, second)
    assert engines.times_heard() == NUM_RECORDINGS
