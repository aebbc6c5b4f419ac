"""A question on the command line: what runs here, which stages are shown, and what an interruption leaves behind."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn, TypeAlias

import pytest

from deploy.console import ask as module
from deploy.console.ask import AskRequest, ask, ask_each
from eval.options import AnsweringOptions, ModelOptions
from lalm.catalog import LALMS
from lalm.names import DEFAULT_LALM
from services.catalog import ASRS, CAPTIONERS, LLMS
from services.errors import BadAudio, BadConfig, ModelError
from services.longform.clock import WHOLE_S
from services.progress import ProgressEvent, StageStarted, report_progress_to, report_stage
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.terminal import interruption
from services.types import AudioClip, Choice, Focus, Reading

pytestmark = pytest.mark.usefixtures("doubles")
DOUBLES = ModelOptions(llm="double", captioner="double", asr="double")
EMBEDDED = "qwen2.5-coder-0.5b"
ReadInterruption: TypeAlias = Callable[[Callable[[], object]], str]


def request(models: ModelOptions = DOUBLES, path: str = "cascade", server: str | None = None) -> AskRequest:
    return AskRequest(
        question="What is heard?",
        choices=("Rain", "A tone"),
        models=models,
        answering=AnsweringOptions(path=path),
        server=server,
    )


@pytest.mark.parametrize(
    ("path", "models", "here"),
    [
        ("cascade", ModelOptions(), True),
        ("cascade", ModelOptions(llm=EMBEDDED), True),
        ("cascade", ModelOptions(llm="phi-4"), False),
        ("cascade", ModelOptions(llm=EMBEDDED, llm_url="http://127.0.0.1:9"), False),
        ("cascade", ModelOptions(lalm="phi-4-mm"), True),
        ("text", ModelOptions(llm="phi-4"), False),
        ("lalm", ModelOptions(), True),
        ("lalm", ModelOptions(lalm=DEFAULT_LALM, llm="phi-4"), True),
        ("lalm", ModelOptions(lalm="phi-4-mm"), False),
        ("lalm", ModelOptions(lalm=DEFAULT_LALM, lalm_url="http://127.0.0.1:9"), False),
        ("auto", ModelOptions(lalm="phi-4-mm"), False),
        ("auto", ModelOptions(lalm=DEFAULT_LALM, llm="phi-4"), False),
    ],
)
def test_only_the_models_that_the_path_asks_decide_whether_all_runs_here(
    path: str, models: ModelOptions, here: bool
) -> None:
    assert request(models, path).runs_here is here


@pytest.mark.parametrize(
    ("path", "models", "told"),
    [
        ("text", ModelOptions(captioner="double"), "Path 'text' hears nothing: leave out --captioner and --asr."),
        ("lalm", ModelOptions(asr="double"), "Path 'lalm' hears for itself: leave out --captioner and --asr."),
        ("cascade", ModelOptions(lalm_url="http://127.0.0.1:9"), "Path 'cascade' asks no LALM: "),
        ("text", ModelOptions(lalm=DEFAULT_LALM), "Path 'text' asks no LALM: "),
    ],
)
def test_a_model_that_the_path_does_not_ask_is_refused(path: str, models: ModelOptions, told: str) -> None:
    with pytest.raises(BadConfig, match=told):
        request(models, path).resolve_names()


@pytest.mark.parametrize(
    "answering",
    [
        AnsweringOptions(path="lalm", summary="perception"),
        AnsweringOptions(path="lalm", planner="llm"),
        AnsweringOptions(path="lalm", rotations=2),
    ],
)
def test_an_option_that_the_only_path_has_no_use_for_is_refused(answering: AnsweringOptions, clip: Path) -> None:
    with pytest.raises(BadConfig, match=r"^Path 'lalm' "):
        ask(replace(request(ModelOptions(), "lalm"), answering=answering), clip)


def test_of_two_paths_only_the_cascade_reads_the_options_in_several_orders(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    llm, lalm = ScriptedLLM(choose=lambda _, choices: weigh(0.25, 0.75)(choices)), ScriptedLALM(choose=weigh(0.9, 0.1))
    monkeypatch.setitem(LLMS, "double", lambda _url: llm)
    monkeypatch.setitem(LALMS, "double", lambda _url: lalm)
    answering = AnsweringOptions(path="both", rotations=2, budget=0)
    asked = replace(request(replace(DOUBLES, lalm="double")), answering=answering)
    assert [answer.path for answer in ask(asked, clip).answers] == ["cascade", "lalm"]
    assert len(llm.prompts) == 2


def test_a_recording_that_is_missing_is_named_before_any_of_many_is_answered(clip: Path, tmp_path: Path) -> None:
    asked = ask_each(request(ModelOptions()), [clip, tmp_path / "nothing.wav"], quiet=True)
    with pytest.raises(BadAudio, match=r"No recording at .*nothing\.wav"):
        next(asked)


def test_the_seconds_of_an_answer_are_those_since_its_question(clip: Path) -> None:
    (seconds,) = ask(request(), clip).took_s
    assert 0 <= seconds < 60


def test_models_are_opened_here_and_a_server_is_connected_to(clip: Path) -> None:
    stages: list[str] = []

    def note(event: ProgressEvent) -> None:
        if isinstance(event, StageStarted):
            stages.append(event.name)

    with report_progress_to(note):
        ask(request(), clip)
        assert stages[:2] == ["open models", "decode"]
        stages.clear()
        with pytest.raises(ModelError):
            ask(request(ModelOptions(), server="http://127.0.0.1:9"), clip)
    assert stages[:2] == ["connect", "decode"]


def test_the_lines_of_each_of_many_recordings_are_taken_away(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[dict[str, bool]] = []

    @contextmanager
    def show(**options: bool) -> Iterator[None]:
        shown.append(options)
        yield

    monkeypatch.setattr(module, "show_progress", show)
    assert len(list(ask_each(request(), [clip, clip], quiet=False))) == 2
    assert shown == [{"quiet": False, "transient": True}] * 3  # the models, and each recording


class Ended(BaseException):
    """Stands in for the end of the process."""


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[], NoReturn]:
    """Return what does at once what Ctrl-C does, but for ending this process."""

    def end(_code: int) -> NoReturn:
        raise Ended

    monkeypatch.setattr(os, "_exit", end)
    return lambda: interruption.end_interrupted("earwitness")


@pytest.fixture
def read_interruption(capfd: pytest.CaptureFixture[str]) -> ReadInterruption:
    """Return a function that runs work which is interrupted, and returns what the interruption says of it."""

    def read(work: Callable[[], object]) -> str:
        with pytest.raises(Ended):
            work()
        line = capfd.readouterr().err
        assert line.startswith("earwitness: interrupted; ") and line.endswith(".\n")
        return line.removeprefix("earwitness: interrupted; ").removesuffix(".\n")

    return read


def hear_and_then(act: Callable[[], object]) -> Callable[[AudioClip, Focus | None], tuple[str, ...]]:
    def hear(_clip: AudioClip, _focus: Focus | None) -> tuple[str, ...]:
        act()
        return ("A tone.",)

    return hear


def read_and_then(act: Callable[[], object]) -> Callable[[str, tuple[Choice, ...]], Reading]:
    def read(_prompt: str, choices: tuple[Choice, ...]) -> Reading:
        act()
        return weigh(0.25, 0.75)(choices)

    return read


@pytest.mark.parametrize(
    ("transcribing_s", "kept"),
    [
        (60.0, "nothing was heard to its end, so nothing is kept"),
        (0.0, "the transcript is kept: the same question goes on from there"),
    ],
)
def test_interrupted_while_it_captions_only_a_transcript_is_kept(
    transcribing_s: float,
    kept: str,
    clip: Path,
    interrupt: Callable[[], NoReturn],
    read_interruption: ReadInterruption,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    captioner = ScriptedEars(hear_and_then(interrupt), latency_s=0.1)
    monkeypatch.setitem(CAPTIONERS, "double", lambda: captioner)
    monkeypatch.setitem(ASRS, "double", lambda: ScriptedEars(latency_s=transcribing_s))
    assert read_interruption(lambda: ask(request(), clip)) == kept


def test_interrupted_while_it_reads_what_was_heard_is_kept(
    clip: Path,
    interrupt: Callable[[], NoReturn],
    read_interruption: ReadInterruption,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(LLMS, "double", lambda _url: ScriptedLLM(choose=read_and_then(interrupt)))
    kept = "the caption and the transcript are kept: the same question goes on from there"
    assert read_interruption(lambda: ask(request(), clip)) == kept


def test_interrupted_in_a_long_recording_its_parts_are_kept(
    clip: Path,
    interrupt: Callable[[], NoReturn],
    read_interruption: ReadInterruption,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def hear_a_part() -> None:
        with report_stage("hear", total=2 * WHOLE_S, unit="seconds of audio") as running:
            running.advance_to(WHOLE_S)
            interrupt()

    monkeypatch.setitem(CAPTIONERS, "double", lambda: ScriptedEars(hear_and_then(hear_a_part)))
    kept = "the parts that were heard are kept: the same question goes on from there"
    assert read_interruption(lambda: ask(request(), clip)) == kept


@pytest.mark.parametrize(("answered", "out"), [(1, "1 answer is out"), (2, "2 answers are out")])
def test_interrupted_after_some_of_many_recordings_the_answers_are_counted(
    answered: int,
    out: str,
    clip: Path,
    interrupt: Callable[[], NoReturn],
    read_interruption: ReadInterruption,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    llm = ScriptedLLM(choose=read_and_then(lambda: interrupt() if len(llm.prompts) > answered else None))
    monkeypatch.setitem(LLMS, "double", lambda _url: llm)
    said = read_interruption(lambda: list(ask_each(request(), [clip] * 3, quiet=True)))
    assert said == f"{out}, and what was heard is kept"
