"""`earwitness ask`: a question on the command line about recordings, together or each, from names to answers."""

import asyncio
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import IO, NamedTuple

from agents.degradation import DEGRADING
from agents.models import Loads, LocalModels, ModelNames
from agents.paths import BUDGETS, LALM_ONLY, PATHS, TEXT_ONLY, Build, make_builder
from agents.reading.calibration import read_calibrations
from eval.options import AnsweringOptions, ModelOptions
from lalm.names import DEFAULT_LALM
from services.arms import ask_arms
from services.audio.load import load
from services.audio.load import require_file as require_clip
from services.catalog import EMBEDDED_LLMS, pick
from services.deadline import limit_time, set_deadline
from services.errors import BadConfig, EarwitnessError
from services.longform.clock import WHOLE_S
from services.progress import ProgressEvent, StageAdvanced, StageEnded, report_progress_to, report_stage
from services.protocols import Answerer
from services.questions import check_question
from services.terminal.display import show_progress
from services.terminal.interruption import keep_on_interrupt
from services.types import Answer, AudioClip, Question, Value

WAYS: Mapping[str, tuple[str, ...]] = {**{name: (name,) for name in PATHS}, "both": ("cascade", "lalm")}
"""What --path may name -> the paths that answer, one after the other."""
PERCEPTION = {"caption": "the caption", "transcribe": "the transcript"}
"""Stages whose results are kept on disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskRequest:
    """A question and the options of the command; None stands for the default."""

    question: str
    choices: tuple[str, ...]
    models: ModelOptions
    answering: AnsweringOptions
    server: str | None = None
    """Running Earwitness service to ask; None: the models are opened here."""
    deadline_s: float | None = None
    """Seconds for the answer of each path, once models and clip are there; None: no deadline."""

    @property
    def path(self) -> str:
        """Name of a path, or "both"."""
        return self.answering.path

    @property
    def hears(self) -> bool:
        """Whether a path listens to the recording."""
        return self.path not in TEXT_ONLY

    @property
    def runs_here(self) -> bool:
        """Whether every model is known to run in this process; one that does not says so before it loads anything."""
        reads = self.path in LALM_ONLY or self.models.llm in {None, *EMBEDDED_LLMS}
        listens = self.path in {"text", "cascade"} or self.models.lalm in {None, DEFAULT_LALM}
        return reads and listens and not (self.models.llm_url or self.models.lalm_url)

    def resolve_names(self) -> ModelNames:
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

    def require_server_alone(self) -> None:
        """Refuse the options that a running service decides itself."""
        fields = {**asdict(self.models), **asdict(self.answering), "path": None, "explain": None}
        if given := [f"--{name.replace('_', '-')}" for name, value in fields.items() if value is not None]:
            raise BadConfig(f"--server has models and settings of its own: leave out {', '.join(given)}.")


class AskResult(Value):
    """The answer of each path, in the order in which they were asked."""

    answers: tuple[Answer, ...]
    took_s: tuple[float, ...]
    """Seconds from question to answer; less than the sum of the steps where some ran at once."""
    missing: tuple[str, ...] = ()
    """Of two paths, the one that gave no answer, and why."""

    @property
    def shown(self) -> Value:
        """What JSON shows: the answer, where one path was asked."""
        return self if self.missing or len(self.answers) > 1 else self.answers[0]


class AskedClip(NamedTuple):
    """What became of one of several recordings."""

    clip: Path
    result: AskResult | EarwitnessError


def ask(request: AskRequest, *clips: Path) -> AskResult:
    """Answer one question about all the clips.

    Names are checked first, then the question and the clips, and last the models, which take seconds.
    """
    with _keep_account():
        session = _AskSession(request, clips)
        heard = session.load(*clips) if session.runs_here else ()
        session.open()
        try:
            return session.ask(heard or session.load(*clips))
        finally:
            session.close()


def ask_each(request: AskRequest, clips: Sequence[Path], *, quiet: bool) -> Iterator[AskedClip]:
    """Ask about each recording by itself, with models that are opened once; an error about one leaves the others."""
    with _keep_account() as kept:
        session = _AskSession(request, clips)
        with show_progress(quiet=quiet, transient=True):
            session.open()
        for number, clip in enumerate(clips, start=1):
            with show_progress(quiet=quiet, transient=True):
                try:
                    with report_stage(f"{number} of {len(clips)}: {clip}"):
                        result: AskResult | EarwitnessError = session.ask(session.load(clip))
                except EarwitnessError as error:
                    result = error
            yield AskedClip(clip, result)
            kept.num_answered += 1
        session.close()


class _AskSession:
    """A question, and the paths that answer it about one recording after the other."""

    def __init__(self, request: AskRequest, clips: Sequence[Path]) -> None:
        self._request = request
        self._runner = asyncio.Runner()
        self._open: dict[str, Callable[[], Answerer]]
        if request.server is not None:
            request.require_server_alone()
            self._open = _connect_paths(request.server, request.path)
        else:
            # A deadline begins when the models are loaded; without one, those that the cache makes needless are not.
            loads: Loads = "when needed" if request.deadline_s is None else "at once"
            builders, models = _choose_builders(request), LocalModels(request.resolve_names(), loads=loads)
            self._open = {path: partial(build, models) for path, build in builders.items()}
        question = check_question(request.question, request.choices)
        self._question = question.model_copy(update={"wants_reasons": request.answering.explain})
        self.runs_here = request.server is None and request.runs_here
        """Whether the models are opened in this process, which takes seconds."""
        if request.server is not None or self.runs_here:  # what cannot run here is named first, without loading
            for clip in clips if request.hears else ():
                require_clip(clip)

    def open(self) -> None:
        """Open the models, or connect to the server."""
        with report_stage("open models" if self._request.server is None else "connect"):
            self._answerers: Mapping[str, Answerer] = {path: build() for path, build in self._open.items()}

    def load(self, *paths: Path) -> tuple[AudioClip, ...]:
        """Decode recordings; none where no path listens."""
        if not self._request.hears:
            return ()
        with report_stage("decode"):
            return tuple(map(load, paths))

    def ask(self, clips: tuple[AudioClip, ...]) -> AskResult:
        """Ask one question about recordings on every path."""
        return self._runner.run(_ask_in_turn(self._answerers, self._question, clips, self._request.deadline_s))

    def close(self) -> None:
        """End the event loop, unless models may still be late."""
        if self._request.deadline_s is None:
            self._runner.close()  # with a deadline it stays open: closing waits for models that are late


class _Kept:
    """What an interruption leaves behind: captions, transcripts and readings are in the cache once they are whole."""

    def __init__(self) -> None:
        self.num_answered = 0
        self._perceived: set[str] = set()
        self._has_parts = False
        """Whether parts of a long recording were heard, each of which is kept."""

    def observe(self, event: ProgressEvent) -> None:
        """Note a step of perception that came to its end."""
        if isinstance(event, StageEnded) and event.outcome == "done" and event.name in PERCEPTION:
            self._perceived.add(PERCEPTION[event.name])
        elif isinstance(event, StageAdvanced) and (event.total or 0) > WHOLE_S and event.done >= WHOLE_S:
            self._has_parts = True

    def describe(self) -> str:
        """Say in words what is kept."""
        if self.num_answered:
            answers = "1 answer is out" if self.num_answered == 1 else f"{self.num_answered} answers are out"
            return f"{answers}, and what was heard is kept"
        if self._has_parts:
            return "the parts that were heard are kept: the same question goes on from there"
        if not self._perceived:
            return "nothing was heard to its end, so nothing is kept"
        what, verb = " and ".join(sorted(self._perceived)), "are" if len(self._perceived) > 1 else "is"
        return f"{what} {verb} kept: the same question goes on from there"


@contextmanager
def _keep_account() -> Iterator[_Kept]:
    """Keep account of what an interruption leaves behind."""
    kept = _Kept()
    with report_progress_to(kept.observe), keep_on_interrupt(kept.describe):
        yield kept


def _connect_paths(server: str, path: str) -> dict[str, Callable[[], Answerer]]:
    """Return path -> what connects to a running service that is asked over it."""
    from eval.run.remote import RemoteAnswerer  # and with it an HTTP client, 0.2 s

    return {one: partial(RemoteAnswerer, server, one) for one in pick(WAYS, "path", path)}


def _choose_builders(request: AskRequest) -> dict[str, Build]:
    """Return path -> what builds it; on `both`, only a path that can ask follow-up questions gets the budget."""
    paths, answering = pick(WAYS, "path", request.path), request.answering
    budgets = [answering.budget if len(paths) == 1 or path in BUDGETS else None for path in paths]
    rotations = [None if len(paths) > 1 and path == "lalm" else answering.rotations for path in paths]
    summary = answering.summary
    hears_last = summary is not None and len(paths) > 1  # on `both` the LALM is the informed one
    calibration = read_calibrations(answering.calibration) if answering.calibration else None
    return {
        path: make_builder(
            "informed" if hears_last and path == "lalm" else path,
            budget=some,
            rotations=orders,
            router=answering.router,
            calibration=calibration,
            policy=DEGRADING,
            summary=summary if path != "cascade" or len(paths) == 1 else None,
            planner=answering.planner if len(paths) == 1 or path in BUDGETS else None,
        )
        for path, some, orders in zip(paths, budgets, rotations, strict=True)
    }


class _Timed(NamedTuple):
    answer: Answer
    took_s: float


async def _ask_in_turn(
    answerers: Mapping[str, Answerer], question: Question, clips: tuple[AudioClip, ...], deadline_s: float | None
) -> AskResult:
    asks = {path: partial(_ask_timed, one, question, clips, deadline_s) for path, one in answerers.items()}
    results = await ask_arms(asks, at_once=False)
    return AskResult(
        answers=tuple(one.answer for one in results.found.values()),
        took_s=tuple(one.took_s for one in results.found.values()),
        missing=results.missing,
    )


async def _ask_timed(
    answerer: Answerer, question: Question, clips: tuple[AudioClip, ...], deadline_s: float | None
) -> _Timed:
    started = perf_counter()
    late = f"No answer within {deadline_s or 0:g} s; give it more with --deadline."
    with set_deadline(deadline_s):
        async with limit_time(deadline_s, late):
            answer = await answerer.answer(question, *clips)
    return _Timed(answer, round(perf_counter() - started, 3))


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
