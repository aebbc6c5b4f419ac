"""Speed-up of our training step (packing, cached features) over a plain loop: loss curves, CPU seconds and ratios.

    OMP_NUM_THREADS=1 python benchmarks/lalm_speed.py          # SmolLM2-135M, Whisper-base (`earwitness models pull`)
    OMP_NUM_THREADS=1 python benchmarks/lalm_speed.py --small  # random models, no weights needed

Both see the same rows in the same order, in float32, without dropout, from the same start. Plain: a row is a sequence,
padded to the longest of the step; encoder (30 s window) and connector run for every row; logits at every position,
shifted cross-entropy. Ours runs twice: with full windows, which is the same sum, and with trimmed ones, which is not.
"""

import argparse
import tempfile
import time
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import BPE
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from torch.optim import AdamW
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast, WhisperConfig
from transformers.models.whisper.modeling_whisper import WhisperEncoder

from lalm.model.build import LalmComponents, build
from lalm.model.config import ConnectorConfig
from lalm.model.frames import pad_segments
from lalm.model.packing import PackedRow
from lalm.train.config import TrainConfig
from lalm.train.corpus import Corpus
from lalm.train.data import Dataset, MicroBatch, Sampler, TrainClip, TrainExample
from lalm.train.features import FeatureStore
from lalm.train.parallel import join_processes
from lalm.train.steps import StepFeed
from lalm.train.trainer import Trainer, compute_learning_rate
from services.types import SAMPLE_RATE, AudioClip

NUM_CLIPS, ROWS_PER_CLIP, CLIPS_PER_STEP = 8, 4, 2
PROMPT, REPLY = 40, 12  # tokens, about; a row's own lengths vary around them
VOCABULARY = 49_000  # ids that both backbones know


class LossCurve(NamedTuple):
    """Loss of each step, and CPU seconds of all."""

    losses: list[float]
    cpu_s: float


def main() -> None:
    """Run the three loops and print them."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--small", action="store_true", help="random models instead of the embedded ones")
    small = parser.parse_args().small
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sources = _write_random_parts(folder) if small else ("whisper-base-encoder", "smollm2-135m-backbone")
        clips = [_make_clip(number) for number in range(NUM_CLIPS)]
        plain = _run(_make_config(sources, "full"), clips, folder / "plain", plain=True)
        full = _run(_make_config(sources, "full"), clips, folder / "full", plain=False)
        trimmed = _run(_make_config(sources, "trimmed"), clips, folder / "trimmed", plain=False)
    print("step  plain    ours     ours, trimmed")
    for step, losses in enumerate(zip(plain.losses, full.losses, trimmed.losses, strict=True)):
        print(f"{step:4}  " + "  ".join(f"{loss:.5f}" for loss in losses))
    apart = max(abs(one - other) for one, other in zip(plain.losses, full.losses, strict=True))
    print(f"largest difference, plain to ours: {apart:.1e}")
    for title, curve in (("plain", plain), ("ours", full), ("ours, trimmed", trimmed)):
        rate, ratio = NUM_CLIPS * ROWS_PER_CLIP / curve.cpu_s, plain.cpu_s / curve.cpu_s
        print(f"{title:14} {curve.cpu_s:7.1f} CPU s  {rate:6.2f} samples/CPU s  {ratio:5.1f} x plain")


def _run(config: TrainConfig, clips: list[AudioClip], folder: Path, *, plain: bool) -> LossCurve:
    """Train for one epoch; what hears the clips is counted in."""
    with join_processes() as group:
        torch.manual_seed(config.seed)
        built = build(config.model, group.device)
        dataset = _make_rows(clips, config.model.connector)
        features = FeatureStore(built.encoders, folder, revisions=["benchmark"])
        num_queries = config.model.connector.num_queries
        sampler = Sampler(dataset, config.batch, num_queries=num_queries, seed=config.seed)
        steps = StepFeed(lambda _, part: None if part else sampler, config.batch.sequences_per_step).draw_steps()
        trainer = Trainer(config, built.model, Corpus(dataset, Dataset(()), features), group)
        by_hash = {clip.sha256: clip for clip in clips}
        started, losses = time.process_time(), []
        if not plain:
            for clip in clips:
                features.encode_once(clip)
        for number, packs in islice(enumerate(steps), config.optimizer.num_steps):
            if plain:
                losses.append(_plain_step(number, packs, built, by_hash, trainer.optimizer, config))
            else:
                losses.append(trainer.step(number, packs).loss)
        return LossCurve(losses, time.process_time() - started)


def _plain_step(
    number: int,
    packs: tuple[MicroBatch, ...],
    built: LalmComponents,
    clips: dict[str, AudioClip],
    optimizer: AdamW,
    config: TrainConfig,
) -> float:
    """Update once as a plain loop does; return the loss."""
    share = compute_learning_rate(1.0, number, config.optimizer.warmup_steps, config.optimizer.num_steps)
    for settings in optimizer.param_groups:
        settings["lr"] = share * settings["peak"]
    pairs = [
        (row, clip) for pack in packs for group, clip in zip(pack.groups, pack.clips, strict=True) for row in group.rows
    ]
    model = built.model.train()
    heard = pad_segments([part for _, clip in pairs for part in built.encoders(clips[clip.sha256])])
    audio_SQH = model.connector(heard)
    rows = [torch.tensor(row.prompt + row.reply) for row, _ in pairs]
    inputs = [model.embed_prompt(ids, audio_QH) for ids, audio_QH in zip(rows, audio_SQH, strict=True)]
    labels = [F.pad(torch.tensor(row.reply), (len(row.prompt), 0), value=-100) for row, _ in pairs]
    mask = pad_sequence([torch.ones(len(ids), dtype=torch.long) for ids in rows], batch_first=True)
    logits = model.backbone(
        inputs_embeds=pad_sequence(inputs, batch_first=True), attention_mask=mask, use_cache=False
    ).logits
    targets = pad_sequence(labels, batch_first=True, padding_value=-100)
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), targets[:, 1:].flatten(), ignore_index=-100)
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_([value for _, value in model.list_trained_parameters()], config.optimizer.clip_norm)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


def _make_config(sources: tuple[str, str], window: str) -> TrainConfig:
    encoder, backbone = sources
    connector = {"num_queries": 32, "num_layers": 2, "num_taps": 2, "ffn_width": 512, "dropout": 0.0}
    model = {"encoder": encoder, "backbone": backbone, "connector": connector, "window": window, "dtype": "float32"}
    return TrainConfig.model_validate(
        {
            "name": "speed",
            "model": model,
            "data": {"files": [], "audio_root": "."},
            "optimizer": {"num_steps": NUM_CLIPS // CLIPS_PER_STEP, "warmup_steps": 1, "learning_rate": 1e-3},
            "batch": {"tokens": 512, "sequences_per_step": 1, "rows_per_clip": ROWS_PER_CLIP},
        }
    )


def _make_clip(number: int) -> AudioClip:
    """Return a tone in noise, 3 to 10 s long."""
    rng = np.random.default_rng(number)
    time_s = np.arange((3 + number % 8) * SAMPLE_RATE) / SAMPLE_RATE
    samples = 0.2 * np.sin(2 * np.pi * (200 + 90 * number) * time_s) + rng.normal(0, 0.02, len(time_s))
    return AudioClip(samples.astype(np.float32))


def _make_rows(clips: list[AudioClip], connector: ConnectorConfig) -> Dataset:
    """Return several rows about each clip: 20 shared tokens, the audio, a question and a reply."""
    rng = np.random.default_rng(0)
    slots = tuple(-1 - slot for slot in range(connector.num_queries))
    begin = tuple(rng.integers(10, VOCABULARY, PROMPT // 2).tolist())
    examples = []
    for number, clip in enumerate(clips):
        known = TrainClip(f"{number}.wav", clip.sha256, 1, "")
        for _ in range(ROWS_PER_CLIP):
            asked = tuple(rng.integers(10, VOCABULARY, PROMPT // 2 + int(rng.integers(-8, 9))).tolist())
            reply = tuple(rng.integers(10, VOCABULARY, REPLY + int(rng.integers(-8, 9))).tolist())
            examples.append(TrainExample(PackedRow(begin + slots + asked, reply), (known,), "metadata"))
    return Dataset(tuple(examples))


def _write_random_parts(folder: Path) -> tuple[str, str]:
    """Write a Whisper encoder and a llama of the embedded ones' kind, with fewer layers."""
    torch.manual_seed(0)
    whisper = WhisperConfig(d_model=256, encoder_layers=4, encoder_attention_heads=4, encoder_ffn_dim=1024)
    WhisperEncoder(whisper).save_pretrained(folder / "encoder")
    llama = LlamaConfig(
        vocab_size=49_152,
        hidden_size=384,
        intermediate_size=1024,
        num_hidden_layers=8,
        num_attention_heads=6,
        num_key_value_heads=3,
        tie_word_embeddings=True,
    )
    AutoModelForCausalLM.from_config(llama).save_pretrained(folder / "backbone")
    core = Tokenizer(BPE(vocab={"<end>": 0, "?": 1}, merges=[]))
    chat = "{% for m in messages %}{{ m.content }}<end>{% endfor %}"  # a tokenizer has one; the rows are ids
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=core, chat_template=chat)
    tokenizer.eos_token = "<end>"  # noqa: S105 - no password
    tokenizer.save_pretrained(folder / "backbone")
    return str(folder / "encoder"), str(folder / "backbone")


if __name__ == "__main__":
    main()
