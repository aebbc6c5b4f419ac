"""`earwitness ask`: one question on the command line, from the names of models to the answer."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import IO, NamedTuple

from agents.degradation import DEGRADING
from agents.models import LocalModels, ModelNames
from agents.paths import BUDGETS, PATHS, TEXT_ONLY, Build, make_builder
from eval.options import AnsweringOptions, ModelOptions
from lalm.catalog import DEFAULT_LALM
from services.arms import ask_arms
from services.audio.load import load
from services.audio.load import require_file as require_clip
from services.catalog import EMBEDDED_LLMS, pick
from services.deadline import set_deadline, time_limit
from services.errors import BadConfig
from services.protocols import Answerer
from services.questions import check_question
from services.types import Answer, AudioClip, Question, Value

WAYS: Mapping[str, tuple[str, ...]] = {**{name: (name,) for name in PATHS}, "both": ("cascade", "lalm")}
"""What --path may name -> the paths that answer, one after the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRequest:
    """One question and the options of the command; None stands for the default."""

    clip: Path
    question: str
    choices: tuple[str, ...]
    models: ModelOptions
    answering: AnsweringOptions
    deadline_s: float | None = None
    """Seconds for the answer of each path, once models and clip are there; None: no deadline."""

    @property
    def path(self) -> str:
        """Name of a path, or "both"."""
        return self.answering.path

    def names(self) -> ModelNames:
        """Fill in the defaults; an option that the path has no use for is refused, not ignored."""
        models = self.models
        if self.path in TEXT_ONLY and (models.captioner or models.asr):
            raise BadConfig(f"Path {self.path!r} hears nothing: leave out --captioner and --asr.")
        if self.path == "lalm" and (models.captioner or models.asr):
            raise BadConfig("Path 'lalm' hears for itself: leave out --captioner and --asr.")
        if self.path in {"text", "cascade"} and (models.lalm or models.lalm_url):
            raise BadConfig(f"Path {self.path!r} asks no LALM: leave out --lalm and --lalm-url, or take --path lalm.")
        named = {role: name for role, name in asdict(models).items() if name is not None}
        if self.path not in {"text", "cascade"} and not models.lalm_url:
            named.setdefault("lalm", DEFAULT_LALM)
        return ModelNames(**named)


class AskResult(Value):
    """The answer of each path, in the order in which they were asked."""

    answers: tuple[Answer, ...]
    took_s: tuple[float, ...]
    """Seconds from question to answer; less than the sum of the steps where some ran at once."""
    missing: tuple[str, ...] = ()
    """Of two paths, the one that gave no answer, and why."""


def ask(request: AskRequest) -> AskResult:
    """Answer: names are checked first, then the question, the models, and last the clip."""
    builders = _choose_builders(request)
    models = LocalModels(request.names())
    question = check_question(request.question, request.choices)
    if request.path != "lalm" and request.models.llm in {None, *EMBEDDED_LLMS}:
        require_clip(request.clip)  # before models take seconds to load; what cannot run here is named without loading
    with _allow_interrupts():
        answerers = {path: build(models) for path, build in builders.items()}
        clip = None if request.path in TEXT_ONLY else _load(request.clip)
        runner = asyncio.Runner()
        try:
            return runner.run(_ask_in_turn(answerers, question, clip, request.deadline_s))
        finally:
            if request.deadline_s is None:
                runner.close()  # with a deadline it stays open: closing waits for models that are late


def _choose_builders(request: AskRequest) -> dict[str, Build]:
    """Return path -> what builds it; on `both`, only a path that can ask follow-up questions gets the budget."""
    paths, answering = pick(WAYS, "path", request.path), request.answering
    budgets = [answering.budget if len(paths) == 1 or path in BUDGETS else None for path in paths]
    rotations = [None if len(paths) > 1 and path == "lalm" else answering.rotations for path in paths]
    return {
        path: make_builder(path, budget=some, rotations=orders, router=answering.router, policy=DEGRADING)
        for path, some, orders in zip(paths, budgets, rotations, strict=True)
    }


class _Timed(NamedTuple):
    answer: Answer
    took_s: float


async def _ask_in_turn(
    answerers: Mapping[str, Answerer], question: Question, clip: AudioClip | None, deadline_s: float | None
) -> AskResult:
    asks = {path: partial(_ask_timed, one, question, clip, deadline_s) for path, one in answerers.items()}
    results = await ask_arms(asks, at_once=False)
    return AskResult(
        answers=tuple(one.answer for one in results.found.values()),
        took_s=tuple(one.took_s for one in results.found.values()),
        missing=results.missing,
    )


async def _ask_timed(
    answerer: Answerer, question: Question, clip: AudioClip | None, deadline_s: float | None
) -> _Timed:
    started = perf_counter()
    late = f"No answer within {deadline_s or 0:g} s; give it more with --deadline."
    with set_deadline(deadline_s):
        async with time_limit(deadline_s, late):
            answer = await answerer.answer(question, clip)
    return _Timed(answer, round(perf_counter() - started, 3))


@contextmanager
def _allow_interrupts() -> Iterator[None]:
    """Let Ctrl-C end the process at once: asyncio would first wait for the models' threads, a minute or more."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _load(path: Path) -> AudioClip:
    """Load the clip; messages of libsndfile's MP3 decoder about frames it cannot read are not shown."""
    with Path(os.devnull).open("w") as nowhere, _redirect(2, nowhere.fileno()):
        return load(path)


@contextmanager
def keep_stdout() -> Iterator[IO[str]]:
    """Yield stdout for the answer alone: what libraries print meanwhile goes to stderr."""
    with (
        os.fdopen(os.dup(1), "w", errors="replace") as stdout,
        _redirect(1, 2),
        redirect_stdout(sys.stderr),
    ):
        yield stdout


@contextmanager
def _redirect(descriptor: int, target: int) -> Iterator[None]:
    """Redirect below Python, where native libraries write."""
    kept = os.dup(descriptor)
    os.dup2(target, descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)
