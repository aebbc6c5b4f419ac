"""Speed-up of the cascade in `eval run` over a plain loop with the same models, clips and questions.

    python benchmarks/cascade_speed.py demo/demo.json --llm qwen2.5-coder-0.5b --llm smollm2-135m

Plain: one question after the other; for each question and each LLM the clip is decoded, captioned and
transcribed anew, one after the other, and the LLM generates a short reply, which is parsed.
Cascade: the driver and Cascade of `eval run`, an empty cache at the start; each clip is decoded and perceived
once, options are scored instead of generated, and several questions are in flight.

Models are opened, and asked one question each way, before the clocks start. Prints the seconds of both, their
ratio, and how many questions each got right, so that it shows if speed cost accuracy.
"""

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Annotated, NamedTuple

import typer
from rich.console import Console

from agents.cascade import Cascade
from agents.reading.prompts import build_prompt
from agents.reading.reply import read_choice
from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark, Item
from eval.run.driver import Driver
from eval.store.records import Prediction
from services.audio.load import load
from services.cache.perception import CachedASR, CachedCaptioner
from services.catalog import ASRS, CAPTIONERS, DEFAULT_ASR, DEFAULT_CAPTIONER, open_llm, pick
from services.protocols import ASR, LLM, Captioner
from services.types import Sampling

console = Console(highlight=False, soft_wrap=True)


class PerceptionModels(NamedTuple):
    """Captioner and ASR."""

    captioner: Captioner
    asr: ASR


class Timing(NamedTuple):
    """Wall and CPU seconds, and correct answers."""

    wall_s: float
    cpu_s: float
    num_correct: int


class Stopwatch:
    """Measures wall and CPU seconds since its creation; the latter vary less on a busy machine."""

    def __init__(self) -> None:
        self.wall_s, self.cpu_s = perf_counter(), process_time()

    def read(self, num_correct: int) -> Timing:
        """Return the time since creation."""
        return Timing(perf_counter() - self.wall_s, process_time() - self.cpu_s, num_correct)


async def answer_plainly(item: Item, benchmark: Benchmark, llm: LLM, ears: PerceptionModels) -> bool:
    """Answer one question in the plain loop; return whether the answer is correct."""
    (path,) = benchmark.find_clips(item)
    clip = load(path)
    evidence = await ears.captioner.caption(clip) + await ears.asr.transcribe(clip)
    question = item.to_question()
    choice = read_choice((await llm.complete(build_prompt(question, evidence))).reply, question.choices)
    return choice is not None and choice.text == item.answer


async def run_plain(benchmark: Benchmark, llms: list[LLM], ears: PerceptionModels) -> Timing:
    """Answer every question with every LLM, one after the other."""
    clock = Stopwatch()
    num_correct = 0
    for llm in llms:
        for item in benchmark.items:
            num_correct += await answer_plainly(item, benchmark, llm, ears)
    return clock.read(num_correct)


async def run_pipelined(benchmark: Benchmark, llms: list[LLM], ears: PerceptionModels, *, concurrency: int) -> Timing:
    """Answer every question with every LLM the way `eval run` does."""
    predictions: list[Prediction] = []
    with TemporaryDirectory() as folder:
        cached = PerceptionModels(CachedCaptioner(ears.captioner, Path(folder)), CachedASR(ears.asr, Path(folder)))
        clock = Stopwatch()
        for llm in llms:
            driver = Driver(Cascade(llm, cached.captioner, cached.asr), benchmark, hears=True)
            await driver.ask(benchmark.items, concurrency, predictions.append)
        timed = clock.read(sum(prediction.correct_strict for prediction in predictions))
    for failed in (prediction.failed for prediction in predictions if prediction.failed):
        raise RuntimeError(failed)
    return timed


async def compare(benchmark: Benchmark, llms: list[LLM], ears: PerceptionModels, *, concurrency: int) -> None:
    """Warm up, time both ways and print the ratio."""
    warm_up = benchmark.take_first(1)
    await run_plain(warm_up, llms, ears)
    await run_pipelined(warm_up, llms, ears, concurrency=concurrency)
    slow = await run_plain(benchmark, llms, ears)
    fast = await run_pipelined(benchmark, llms, ears, concurrency=concurrency)
    num_asked = len(benchmark.items) * len(llms)
    for name, timed in (("plain", slow), ("cascade", fast)):
        times = f"{timed.wall_s:8.2f} s wall {timed.cpu_s:8.2f} s CPU"
        console.print(f"{name:8}{times}   {timed.num_correct} of {num_asked} right")
    console.print(f"ratio   {slow.wall_s / fast.wall_s:8.2f}{slow.cpu_s / fast.cpu_s:15.2f}")


def main(
    bench: Annotated[str, typer.Argument(help="File in the MMAU schema, several questions per clip.")],
    llm: Annotated[list[str], typer.Option(help="LLM that reads; repeat for more.")],
    *,
    captioner: str = DEFAULT_CAPTIONER,
    asr: str = DEFAULT_ASR,
    limit: int | None = None,
    concurrency: int = 16,
) -> None:
    """Print the ratio of the plain way's time to the cascade's."""
    benchmark = find(bench).take_first(limit)
    llms = [open_llm(name, sampling=Sampling()) for name in llm]
    ears = PerceptionModels(pick(CAPTIONERS, "captioner", captioner)(), pick(ASRS, "ASR", asr)())
    num_clips = len({item.audio for item in benchmark.items})
    console.print(f"{len(benchmark.items)} questions about {num_clips} clips, read by {', '.join(llm)}")
    console.print(f"captioner {captioner}, ASR {asr}, {concurrency} questions in flight")
    asyncio.run(compare(benchmark, llms, ears, concurrency=concurrency))


if __name__ == "__main__":
    typer.run(main)
