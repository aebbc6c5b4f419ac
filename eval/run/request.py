"""Request for a run: what the user asked `earwitness eval run` for, and the options that this decides."""

import re
from collections.abc import Mapping
from hashlib import sha256
from math import inf
from pathlib import Path
from typing import Literal, NamedTuple, Self

from agents.paths import BUDGETS, LALM_ONLY, PATHS, TEXT_ONLY
from agents.reading.calibration import hash_calibrations
from eval.benchmarks.tables import is_table
from eval.store.records import RunOptions, RunSettings
from lalm.names import DEFAULT_LALM
from services.catalog import DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM, pick
from services.errors import BadConfig
from services.types import Value


class Price(Value):
    """What tokens cost, in US dollars per million."""

    prompt: float
    completion: float

    @classmethod
    def read(cls, text: str) -> "Price":
        """Read `PROMPT/COMPLETION`, such as 0.15/0.60."""
        match = re.fullmatch(r"(\d+(?:\.\d+)?)/(\d+(?:\.\d+)?)", text)
        if match is None:
            raise BadConfig(f"--price {text!r} is not a price; one looks like 0.15/0.60 (dollars per million tokens).")
        return cls(prompt=float(match[1]), completion=float(match[2]))

    def compute_cost(self, *, prompt_tokens: int, completion_tokens: int) -> float:
        """Return what that many tokens cost."""
        return round((prompt_tokens * self.prompt + completion_tokens * self.completion) / 1e6, 6)


class ServedModel(NamedTuple):
    """A model by name, and the server that runs it."""

    name: str
    url: str | None
    """OpenAI-compatible; None: here, or at its host."""

    @classmethod
    def read(cls, text: str, default_url: str | None = None) -> Self:
        """Read NAME or NAME=URL; a name alone is run by the server at `default_url`, if there is one."""
        name, _, url = text.partition("=")
        if not name:
            raise BadConfig(f"{text!r} names no model; one looks like NAME or NAME=URL.")
        return cls(name, url or default_url)


BENCHMARK_BUDGETS: Mapping[str, int] = {**BUDGETS, "cascade": 0}
"""Default number of follow-up questions in benchmarks: the paper's cascade asks none."""

DRAWING_PATHS = ("text", "cascade")  # whose one answer is an LLM's reply


class RunRequest(RunSettings):
    """One run, as the user asked for it."""

    bench: str
    audio_root: Path | None = None
    missing: Literal["skip", "fail"] = "fail"
    controls: tuple[str, ...] = ()
    repeats: int = 1
    """Times that the questions are asked, the run itself included."""
    judges: tuple[str, ...] = ()
    """LLMs that score open answers, each NAME or NAME=URL; the first one's judgements count."""
    judge_url: str | None = None
    """Server of the judges that name none."""
    num_probed: int | None = 50
    """Items that the probes of the audio ask; None: all."""
    price: Price | None = None
    abstain: float | None = None
    """Calibrated probability below which an answer counts as withheld; it changes what is reported only."""
    concurrency: int
    out: Path | None = None
    retry_failed: bool = False

    @property
    def hears(self) -> bool:
        """Whether the path listens to the clips."""
        return self.path not in TEXT_ONLY

    def resolve_options(self) -> RunOptions:
        """Fill in the defaults; an option that the path has no use for is refused, not ignored."""
        pick(PATHS, "path", self.path)
        self._refuse_useless()
        here = self.server is None
        reads = here and (self.path not in LALM_ONLY or self.summary == "tools")
        captions = here and self.path in {"cascade", "informed", "auto"}
        listens = here and self.path in {*LALM_ONLY, "auto"}
        defaults = {
            "llm": self.llm or (DEFAULT_LLM if reads else None),
            "captioner": (self.captioner or DEFAULT_CAPTIONER) if captions else None,
            "asr": (self.asr or DEFAULT_ASR) if captions else None,
            "lalm": self.lalm or (DEFAULT_LALM if listens and not self.lalm_url else None),
            "budget": BENCHMARK_BUDGETS.get(self.path, 0) if here and self.budget is None else self.budget,
        }
        return RunOptions(
            **self.model_dump(include=set(RunSettings.model_fields)) | defaults,
            benchmark=Path(self.bench).stem if is_table(self.bench) else self.bench,
            audio_root=str(self.audio_root.resolve()) if self.audio_root and self.hears else None,
            router_sha256=_hash_file(Path(self.router)) if self.router else None,
            calibration_sha256=hash_calibrations(Path(self.calibration)) if self.calibration else None,
            prompt_form_sha256=self._hash_form(),
        )

    def _hash_form(self) -> str | None:
        if self.prompt_form is None:
            return None
        from eval.variation.prompt_forms import hash_prompt_form

        return hash_prompt_form(self.prompt_form)

    def _refuse_useless(self) -> None:
        """Raise `BadConfig` for the first option that would change nothing."""
        chosen = self.model_dump(include={"llm", "llm_url", "captioner", "asr", "lalm", "lalm_url"}, exclude_none=True)
        if self.server is not None and self.budget is not None:
            raise BadConfig("--server decides itself how often it listens: leave out --budget.")
        own = self.model_dump(include={"rotations", "router", "calibration", "summary", "planner"}, exclude_none=True)
        if self.server is not None and own:
            raise BadConfig(f"--server decides itself how it reads and routes: leave out {_format_flags(own)}.")
        self._refuse_useless_draws()
        if self.server is not None and chosen:
            raise BadConfig(f"--server brings its own models: leave out {_format_flags(chosen)}.")
        useless = {
            "text": {"captioner", "asr", "lalm", "lalm_url"},
            "cascade": {"lalm", "lalm_url"},
            "auto": set[str](),
            "informed": set[str](),
            "lalm": {"captioner", "asr"},  # an LLM may be named: the control without audio asks it
        }[self.path] & chosen.keys()
        if useless:
            why = "hears nothing" if not self.hears else "does not use it"
            raise BadConfig(f"Path {self.path!r} {why}: leave out {_format_flags(useless)}.")

    def _refuse_useless_draws(self) -> None:
        """Raise `BadConfig` where there is no LLM that draws, or no single model to ask in another form."""
        if self.explains and self.prompt_form is not None:
            raise BadConfig("--prompt-form asks as others do, without reasons: leave out --explain.")
        unasked = self.model_dump(include={"temperature", "prompt_form"}, exclude_none=True)
        if self.server is not None and unasked:
            raise BadConfig(
                f"--server words its prompts and draws its replies itself: leave out {_format_flags(unasked)}."
            )
        if self.temperature == inf:
            raise BadConfig("--temperature inf would draw every token alike: give a number.")
        if self.temperature == 0:
            raise BadConfig("--temperature 0 draws nothing: leave it out, and the likeliest option counts.")
        if self.temperature is not None and self.path not in DRAWING_PATHS:
            raise BadConfig(
                f"--temperature is that of an LLM's replies on the paths {' and '.join(DRAWING_PATHS)}: leave it "
                f"out on path {self.path!r}."
            )
        useless = self.model_dump(include={"rotations", "calibration"}, exclude_none=True)
        if unasked and useless:
            raise BadConfig(f"Replies in words have no probabilities: leave out {_format_flags(useless)}.")


def name_run_folder(options: RunOptions) -> Path:
    """Name the run folder after its options, so that the same command finds it again."""
    first = f"first{options.limit}" if options.limit else None
    drawn = f"sample{options.sample}-seed{options.seed}" if options.sample else None
    models = (options.llm, options.captioner, options.asr, options.lalm, options.server)
    is_usual = options.budget in {None, BENCHMARK_BUDGETS.get(options.path, 0)}
    budget = None if is_usual else f"budget{options.budget}"
    summary = f"summary-{options.summary}" if options.summary else None
    planner = f"planner-{options.planner}" if options.planner else None
    orders = f"rotations{options.rotations}" if options.rotations else None
    router = Path(options.router).stem if options.router else None
    drawn_at = f"temperature{options.temperature:g}" if options.temperature else None
    scale = f"calibrated-by-{Path(options.calibration).stem}" if options.calibration else None
    parts = (
        options.benchmark,
        options.path,
        *models,
        budget,
        summary,
        planner,
        orders,
        router,
        scale,
        options.prompt_form,
        drawn_at,
        "explained" if options.explains else None,
    )
    named = (*parts, first, drawn)
    return Path("runs") / "-".join(re.sub(r"[^\w.-]+", "_", part) for part in named if part)


def _hash_file(file: Path) -> str:
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError:
        raise BadConfig(f"--router {str(file)!r} cannot be read; `earwitness eval fit-router` writes one.") from None


def _format_flags(names: object) -> str:
    assert isinstance(names, dict | set)
    return ", ".join(f"--{name.replace('_', '-')}" for name in sorted(names))
