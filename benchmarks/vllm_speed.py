"""Throughput of LALM inference: plain `generate`, our in-process engine, and vLLM, in requests a second.

    python -m lalm.export lalm/earwitness-tiny exported
    vllm serve exported --served-model-name earwitness-tiny --dtype float32 --enforce-eager --port 8471
    OMP_NUM_THREADS=1 python benchmarks/vllm_speed.py --url http://127.0.0.1:8471/v1

Four demo clips, other questions in each row, greedy replies in float32, without a recogniser. Plain: one question at a
time, the clip encoded for each. vLLM is asked over HTTP, in its own environment (docs/exporting.md), and says itself
how often a clip was not in its memory.
"""

import argparse
import asyncio
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path

import torch
import yaml

import lalm
from deploy.console.demo import EXCERPTS, write_demo
from lalm.model.build import build
from lalm.model.frames import count_segments, pad_segments
from lalm.model.template import PromptClip
from lalm.prompting import insert_audio
from lalm.runtimes.in_process import MAX_TOKENS, InProcessTrainedLALM
from lalm.runtimes.served_run import ServedTrainedLALM
from lalm.train import checkpoint, run_files
from services.audio import load as audio
from services.clients.chat_server import Endpoint
from services.protocols import LALM
from services.types import AudioClip, Message

RUN = Path(lalm.__file__).with_name("earwitness-tiny")
IN_FLIGHT = (1, 8, 32)
ASKED = ("What is heard?", "Is this music?", "Is somebody speaking?", "What makes the sound?", "Is it loud?")
ROUNDS = 2  # of the questions in a row, about every clip


def main() -> None:
    """Ask all three and print requests per second."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", required=True, help="vLLM's OpenAI server, up to and including /v1")
    url = parser.parse_args().url
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_demo(folder)
        clips = [audio.load(folder / excerpt.clip) for excerpt in EXCERPTS]
        run = _copy_in_float32(folder / RUN.name)
        print(f"plain generate, 1 at a time: {_measure_plain(run, clips):.2f} requests/s")
        engines: dict[str, LALM] = {
            "our engine": InProcessTrainedLALM(run, name=RUN.name, asr=None),
            "vLLM": ServedTrainedLALM(run, Endpoint(url=url, model=RUN.name), name=RUN.name, asr=None),
        }
        before = _read_cache_misses(url)
        for which, engine in engines.items():
            asyncio.run(_measure_engine(which, engine, clips))
        print(f"vLLM heard {_read_cache_misses(url) - before:.0f} clips it did not remember, of {len(clips)}")


def _copy_in_float32(folder: Path) -> Path:
    folder.mkdir()
    config = run_files.read_config(RUN).model_dump(mode="json")
    config["model"]["dtype"] = "float32"
    (folder / run_files.CONFIG).write_text(yaml.safe_dump(config))
    (folder / run_files.WEIGHTS).symlink_to(RUN.resolve() / run_files.WEIGHTS)
    return folder


def _make_questions(row: str) -> list[str]:
    return [f"({row}, {number}) {text}" for number in range(ROUNDS) for text in ASKED]


@torch.inference_mode()
def _measure_plain(run: Path, clips: Sequence[AudioClip]) -> float:
    built = build(run_files.read_config(run).model, torch.device("cpu"))
    checkpoint.load_weights(built.model, run)
    built.model.eval()
    asked = [(clip, text) for text in _make_questions("plain") for clip in clips]
    started = time.perf_counter()
    for clip, text in asked:
        messages = [Message(role="user", content=insert_audio(text))]
        ids = torch.tensor(built.template.encode_prompt(messages, [PromptClip(count_segments(clip))]))
        inputs = built.model.embed_prompt(ids, built.model.embed_audio(pad_segments(built.encoders(clip))))[None]
        mask, end = torch.ones(inputs.shape[:2], dtype=torch.long), built.template.turn_end[-1]
        built.model.backbone.generate(
            inputs_embeds=inputs,
            attention_mask=mask,
            max_new_tokens=MAX_TOKENS,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=end,
        )
    return len(asked) / (time.perf_counter() - started)


async def _measure_engine(name: str, engine: LALM, clips: Sequence[AudioClip]) -> None:
    await asyncio.gather(*(engine.listen((Message(role="user", content="Warm up."),), clip) for clip in clips))
    for in_flight in IN_FLIGHT:
        asked = [(clip, text) for text in _make_questions(f"{in_flight}") for clip in clips]
        gate = asyncio.Semaphore(in_flight)

        async def ask(clip: AudioClip, text: str, gate: asyncio.Semaphore = gate) -> int:
            async with gate:
                reading = await engine.listen((Message(role="user", content=text),), clip)
                return reading.usage.completion_tokens

        started = time.perf_counter()
        tokens = await asyncio.gather(*(ask(clip, text) for clip, text in asked))
        elapsed_s = time.perf_counter() - started
        print(
            f"{name}, {in_flight} in flight: {len(asked) / elapsed_s:.2f} requests/s, "
            f"{sum(tokens) / elapsed_s:.0f} tokens/s"
        )


def _read_cache_misses(url: str) -> float:
    """Return how often a clip was not in vLLM's memory, by its own count."""
    with urllib.request.urlopen(url.removesuffix("/v1") + "/metrics", timeout=10) as answer:  # noqa: S310 - named by the user
        lines = answer.read().decode().splitlines()
    counts = {
        key: sum(float(line.split()[-1]) for line in lines if line.startswith(f"vllm:mm_cache_{key}_total"))
        for key in ("queries", "hits")
    }
    return counts["queries"] - counts["hits"]


if __name__ == "__main__":
    main()
