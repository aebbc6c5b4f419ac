"""One question on the command line: from names and a path to an answer."""

import asyncio
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import IO

from agents.models import LocalModels, ModelNames
from agents.paths import DEAF, FOLLOWED_UP, PATHS, Build, with_budget
from lalm.catalog import DEFAULT_LALM
from services.asking import asked
from services.audio import load
from services.audio import require as require_clip
from services.catalog import EMBEDDED_LLMS, pick
from services.errors import BadConfig
from services.protocols import Answerer
from services.types import Answer, AudioClip, Question, Value

WAYS: Mapping[str, tuple[str, ...]] = {**{name: (name,) for name in PATHS}, "both": ("cascade", "lalm")}
"""What --path may name -> the paths that answer, one after the other."""


class Request(Value):
    """What the user asked for; None stands for the default."""

    clip: Path
    question: str
    choices: tuple[str, ...]
    path: str
    llm: str | None = None
    llm_url: str | None = None
    captioner: str | None = None
    asr: str | None = None
    lalm: str | None = None
    lalm_url: str | None = None
    budget: int = 0

    def names(self) -> ModelNames:
        """Fill in the defaults; an option that the path has no use for is refused, not ignored."""
        if self.path in DEAF and (self.captioner or self.asr):
            raise BadConfig(f"Path {self.path!r} hears nothing: leave out --captioner and --asr.")
        if self.path == "lalm" and (self.captioner or self.asr):
            raise BadConfig("Path 'lalm' hears for itself: leave out --captioner and --asr.")
        if self.path in {"text", "cascade"} and (self.lalm or self.lalm_url):
            raise BadConfig(f"Path {self.path!r} asks no LALM: leave out --lalm and --lalm-url, or take --path lalm.")
        named = self.model_dump(include=set(ModelNames.model_fields), exclude_none=True)
        if self.path not in {"text", "cascade"} and not self.lalm_url:
            named.setdefault("lalm", DEFAULT_LALM)
        return ModelNames(**named)


class Answers(Value):
    """What each way answered, in the order in which they were asked."""

    answers: tuple[Answer, ...]


def ask(request: Request) -> Answers:
    """Answer: names are checked first, then the question, the models, and last the clip."""
    builders = _builders(request)
    models = LocalModels(request.names())
    question = asked(request.question, request.choices)
    if request.path != "lalm" and (request.llm in EMBEDDED_LLMS or request.llm is None):
        require_clip(request.clip)  # before models take seconds to load; what cannot run here is named without loading
    with _interruptible():
        answerers = [build(models) for build in builders]
        clip = None if request.path in DEAF else _load(request.clip)
        return Answers(answers=asyncio.run(_in_turn(answerers, question, clip)))


def _builders(request: Request) -> tuple[Build, ...]:
    """Return what builds each path; on `both`, only the one with ears that can be asked again has the budget."""
    paths = pick(WAYS, "path", request.path)
    lone = len(paths) == 1
    return tuple(with_budget(path, request.budget if lone or path in FOLLOWED_UP else 0) for path in paths)


async def _in_turn(answerers: list[Answerer], question: Question, clip: AudioClip | None) -> tuple[Answer, ...]:
    """Ask one after the other, so that the seconds of one are not spent waiting for the other."""
    return tuple([await answerer.answer(question, clip) for answerer in answerers])


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C end the process at once: asyncio would first wait for the models' threads, a minute or more."""
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _load(path: Path) -> AudioClip:
    """Load the clip, without what libsndfile's MP3 decoder writes to stderr about each frame it cannot read."""
    with Path(os.devnull).open("w") as nowhere, _redirected(2, nowhere.fileno()):
        return load(path)


@contextmanager
def stdout_kept() -> Iterator[IO[str]]:
    """Yield stdout for the answer alone: what libraries print meanwhile goes to stderr."""
    with (
        os.fdopen(os.dup(1), "w", errors="replace") as stdout,
        _redirected(1, 2),
        redirect_stdout(sys.stderr),
    ):
        yield stdout


@contextmanager
def _redirected(descriptor: int, target: int) -> Iterator[None]:
    """Redirect below Python, where native libraries write."""
    kept = os.dup(descriptor)
    os.dup2(target, descriptor)
    try:
        yield
    finally:
        os.dup2(kept, descriptor)
        os.close(kept)
