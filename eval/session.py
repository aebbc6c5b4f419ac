"""One `eval run`: from what was asked for to a finished run folder."""

import asyncio
import hashlib
import re
from pathlib import Path
from typing import NamedTuple

import agents
from agents.models import LocalModels, ModelNames
from agents.paths import DEAF, PATHS
from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark
from eval.driver import Driver
from eval.provenance import environment
from eval.records import Prediction, RunOptions, RunRecord
from eval.report import LiveBar
from eval.run_folder import RunFolder, open_run, refuse_other
from eval.scoring import Summary, summarise
from services.catalog import DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM, EMBEDDED_LLMS, pick
from services.errors import BadConfig
from services.types import Value


class Request(Value):
    """What the user asked for; None stands for the default."""

    path: str
    bench: str
    llm: str | None = None
    llm_url: str | None = None
    captioner: str | None = None
    asr: str | None = None
    limit: int | None = None
    audio_root: Path | None = None
    concurrency: int
    out: Path | None = None
    retry_failed: bool = False

    @property
    def hears(self) -> bool:
        """Whether the path listens to the clips."""
        return self.path not in DEAF

    def options(self) -> RunOptions:
        """Fill in the defaults; an option that the path has no use for is refused, not ignored."""
        if not self.hears and (self.captioner or self.asr):
            raise BadConfig(f"Path {self.path!r} hears nothing: leave out --captioner and --asr.")
        return RunOptions(
            benchmark=Path(self.bench).stem if self.bench.endswith(".json") else self.bench,
            path=self.path,
            llm=self.llm or DEFAULT_LLM,
            llm_url=self.llm_url,
            captioner=(self.captioner or DEFAULT_CAPTIONER) if self.hears else None,
            asr=(self.asr or DEFAULT_ASR) if self.hears else None,
            limit=self.limit,
            audio_root=str(self.audio_root.resolve()) if self.audio_root and self.hears else None,
        )


class Outcome(NamedTuple):
    """What a session came to."""

    folder: Path
    summary: Summary
    num_items: int
    """Of the whole run; the summary counts fewer if it was interrupted."""


def run(request: Request) -> Outcome:
    """Ask what is not yet finished and score the whole; Ctrl-C ends it early with what there is."""
    build = pick(PATHS, "path", request.path)
    options = request.options()
    models = LocalModels(ModelNames(**options.model_dump(include=set(ModelNames.model_fields), exclude_none=True)))
    try:
        benchmark = find(request.bench, request.audio_root).first(request.limit)
    except BadConfig:
        if options.llm not in EMBEDDED_LLMS:
            models.llm()  # that it cannot run here at all is the first thing to say
        raise
    record = _record(options, benchmark)
    out = request.out or default_folder(options)
    refuse_other(out, record)
    answerer = build(models)
    if request.hears:
        benchmark.require_audio()
    with open_run(out, record.with_models(models.opened), retry_failed=request.retry_failed) as folder:
        driver = Driver(answerer, benchmark, hears=request.hears, clock_s=folder.clock_s)
        _ask(driver, benchmark, folder, request.concurrency)
        summary = summarise(folder.verdicts.values())
        if summary.n == len(benchmark.items):
            folder.write_summary(summary)
    return Outcome(out, summary, len(benchmark.items))


def default_folder(options: RunOptions) -> Path:
    """Name the run folder after its options, so that the same command finds it again."""
    first = f"first{options.limit}" if options.limit else None
    parts = (options.benchmark, options.path, options.llm, options.captioner, options.asr, first)
    return Path("runs") / "-".join(re.sub(r"[^\w.-]+", "_", part) for part in parts if part)


def _ask(driver: Driver, benchmark: Benchmark, folder: RunFolder, concurrency: int) -> None:
    waiting = [item for item in benchmark.items if item.id not in folder.verdicts]
    with LiveBar(len(benchmark.items), folder.verdicts.values()) as bar:

        def finished(prediction: Prediction) -> None:
            folder.append(prediction)
            bar.add(prediction)

        runner = asyncio.Runner()
        try:
            runner.run(driver.ask(waiting, concurrency, finished))
        except KeyboardInterrupt:
            # Not closed: that would wait, perhaps a minute, for models that are busy in their threads.
            bar.say("Interrupted.")
        else:
            runner.close()


def _record(options: RunOptions, benchmark: Benchmark) -> RunRecord:
    return RunRecord(
        options=options,
        benchmark_file=str(benchmark.file),
        benchmark_sha256=benchmark.sha256,
        prompts_sha256=_agents_sha256(),
        environments=(environment(),),
    )


def _agents_sha256() -> str:
    """Return what changes with any line of `agents`: the prompts, what is shown in them and how replies are read."""
    sources = sorted(Path(agents.__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
