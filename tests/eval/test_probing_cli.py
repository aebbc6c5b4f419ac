"""`eval probe`: what it writes, and one line for what cannot be probed."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from eval import cli
from eval.benchmarks import find
from eval.probing import subject
from eval.probing.probe import ProbeReport
from eval.store.provenance import describe_environment
from eval.store.records import RunOptions, RunRecord, judge_answer
from eval.store.run_folder import open_run
from lalm.probing.activations import ProbedStage, Vector
from services.types import SAMPLE_RATE, Answer, AudioClip, Choice

STAGES = (
    ProbedStage("encoder", "mean", 0),
    ProbedStage("encoder", "all"),
    ProbedStage("connector", "all"),
    ProbedStage("backbone", "last", 1),
)


class LoudnessReader:
    """A model whose encoder holds how loud a clip is, and whose backbone holds nothing."""

    name, revision = "loudness", "1"
    stages: Sequence[ProbedStage] = STAGES

    def __init__(self, folder: Path, question: str) -> None:
        self.folder, self.question = folder, question

    def describe(self, stage: ProbedStage) -> str:
        return f"{stage.part} {stage.reading}"

    def read(self, clip: AudioClip) -> Mapping[ProbedStage, Vector]:
        level = np.float32(abs(clip.samples).max())
        noise = np.random.default_rng(int(clip.sha256[:8], 16)).normal(size=4).astype(np.float32)
        return {stage: noise + (50 * level if stage.part == "encoder" else 0) for stage in STAGES}


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """Return a file of questions whose answers are how loud its clips are."""
    lines = []
    for number in range(16):
        label = ("quiet", "loud")[number % 2]
        samples = np.random.default_rng(number).uniform(-1, 1, 800) * (0.1, 0.9)[number % 2]
        soundfile.write(tmp_path / f"{number}.wav", samples, SAMPLE_RATE)
        row = {"id": f"q{number}", "audio": f"{number}.wav", "question": "How loud?", "choices": ["quiet", "loud"]}
        lines.append(json.dumps(row | {"answer": label, "place": ("here", "there")[number % 2], "maker": "me"}))
    (tmp_path / "asked.jsonl").write_text("\n".join(lines))
    return tmp_path / "asked.jsonl"


@pytest.fixture
def make_asked(tmp_path: Path) -> Callable[..., Path]:
    """Return how a run over path lalm is made up that answered every fourth question right."""

    def made(file: Path, **options: object) -> Path:
        benchmark = find(str(file))
        settings = {"benchmark": "asked", "path": "lalm", "lalm": "earwitness-tiny"} | options
        record = RunRecord(
            options=RunOptions.model_validate(settings),
            benchmark_file=str(file),
            benchmark_sha256=benchmark.sha256,
            prompts_sha256="2",
            environments=(describe_environment(),),
        )
        with open_run(tmp_path / "run", record) as run:
            for number, item in enumerate(benchmark.items):
                texts = {"quiet": "loud", "loud": "quiet"} if number % 4 else {}
                said = texts.get(str(item.answer), str(item.answer))
                answer = Answer(question_id=item.id, reply=said, choice=Choice(letter="A", text=said), path="lalm")
                run.append(judge_answer(item, answer, None, took_s=1, clock_s=number))
        return tmp_path / "run"

    return made


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "open_reader", LoudnessReader)


def run_eval(*arguments: str | Path) -> int:
    try:
        cli.main(list(map(str, arguments)))
    except SystemExit as ended:
        return int(str(ended.code or 0))
    return 0


def probe(*arguments: str | Path) -> int:
    return run_eval("probe", *arguments)


@pytest.mark.slow
@pytest.mark.usefixtures("scripted")
def test_it_prints_a_table_and_writes_what_it_found(
    asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert probe("earwitness-tiny", "--bench", asked, "--label", "place", "--folds", "4", "--out", out) == 0
    printed = capsys.readouterr().out
    assert "loudness, place of asked: 16 clips of 16 recordings, 2 classes, 4 folds of recordings." in printed
    assert "encoder all\t4\t100.0\t" in printed
    found = ProbeReport.model_validate_json((out / "probe-asked-place.json").read_bytes())
    assert (found.n, found.classes, found.answers) == (16, {"here": 8, "there": 8}, None)
    assert found.question == "What is heard in the recording?"
    assert (out / "probe-asked-place.svg").read_text().startswith("<?xml")


@pytest.mark.slow
@pytest.mark.usefixtures("scripted")
def test_a_run_brings_its_questions_its_model_and_its_answers(
    asked: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], make_asked: Callable[..., Path]
) -> None:
    folder = make_asked(asked)
    assert probe(folder, "--label", "answer", "--folds", "4", "--json") == 0
    found = ProbeReport.model_validate_json(capsys.readouterr().out)
    assert found.answers is not None and found.answers.accuracy == pytest.approx(4 / 16)
    assert found.chance_among_options == pytest.approx(0.5)
    assert (folder / "probe-asked-answer.svg").is_file()
    asked.write_text(asked.read_text() + "\n")
    assert probe(folder, "--label", "answer") == 2
    assert "has changed since the run" in capsys.readouterr().err


@pytest.mark.usefixtures("scripted")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nosuch", "--bench", "FILE", "--label", "place"], "nosuch"),
        (["earwitness-tiny", "--bench", "FILE", "--label", "nosuch"], "--label 'nosuch' names no field of"),
        (["earwitness-tiny", "--bench", "FILE", "--label", "maker"], "leaves only 'me'"),
        (["earwitness-tiny", "--bench", "FILE", "--label", "place", "--folds", "9"], "fewer than 9 recordings"),
        (["earwitness-tiny", "--bench", "nosuch.csv", "--label", "place"], "nosuch.csv"),
        (["earwitness-tiny", "--label", "place"], "--bench has to name the labelled recordings"),
        (["qwen2-audio-7b", "--bench", "FILE", "--label", "place"], "The LALM 'qwen2-audio-7b' gives no activations"),
    ],
)
def test_what_cannot_be_probed_is_one_line(
    asked: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert probe(*(str(asked) if one == "FILE" else one for one in arguments)) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"path": "cascade", "lalm": None}, "is a run over path cascade, which gives no activations"),
        ({"lalm_url": "http://127.0.0.1:1/v1"}, "is a run of a LALM on the server http://127.0.0.1:1/v1"),
    ],
)
def test_a_run_without_activations_is_one_line(
    asked: Path,
    make_asked: Callable[..., Path],
    capsys: pytest.CaptureFixture[str],
    options: dict[str, object],
    message: str,
) -> None:
    assert probe(make_asked(asked, **options), "--label", "answer") == 2
    assert message in capsys.readouterr().err


@pytest.mark.slow
def test_a_corrupt_line_of_what_was_scored_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scorer = SimpleNamespace(name="tiny", revision="1", backbone="tiny-lm", conditions=())
    monkeypatch.setattr(subject, "open_scorer", lambda _: scorer)
    kept = tmp_path / "forgetting-akb-open.jsonl"
    kept.write_text('{"key": "1", "id": "1", "scores": "none"}\n{"key": "1", "id": "2", "scores": []}\n')
    assert run_eval("forgetting", "earwitness-tiny", "--sample", "10", "--out", tmp_path) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"eval: '{kept}', line 1 is not a row of scores (")
    assert line.endswith("; delete that line, or name another --out.")
