"""The command line as a user types it, each time in a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep
from typing import NamedTuple

import pytest

from eval.cli import main
from eval.store.records import RunRecord
from services import catalog
from services.errors import ModelError
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.types import Choice, Reading

ROOT = Path(__file__).parents[2]
DOUBLES = Path(__file__).with_name("eval_with_doubles.py")
NUM_ITEMS = 60


class Unused:
    """An LLM that nobody gets to ask."""


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [
        {
            "id": f"item{number}",
            "audio_id": "./one.wav",
            "question": f"Question number {number}?",
            "choices": ["Man", "Woman"],
            "answer": "Man" if number % 3 else "Woman",
            "task": ("sound", "music", "speech")[number % 3],
        }
        for number in range(NUM_ITEMS)
    ]
    file = tmp_path_factory.mktemp("bench") / "tiny.json"
    file.write_text(json.dumps(rows))
    return file


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(DOUBLES), str(folder / "asked.log"), "run", *arguments]
    environment = os.environ | {"EARWITNESS_HOME": str(folder / "home"), "COLUMNS": "120"}
    return subprocess.Popen(
        command, cwd=folder, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    process = start(folder, *arguments)
    stdout, stderr = process.communicate(timeout=60)
    return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)


def asked(folder: Path) -> list[str]:
    log = folder / "asked.log"
    return log.read_text().splitlines() if log.exists() else []


def num_finished(folder: Path) -> int:
    file = folder / "runs" / "tiny-text-slow" / "predictions.jsonl"
    return file.read_bytes().count(b"\n") if file.exists() else 0


def wait_until_some_are_finished(process: subprocess.Popen[str], folder: Path) -> None:
    deadline_s = monotonic() + 30
    while num_finished(folder) < 12:
        assert process.poll() is None, process.communicate()
        assert monotonic() < deadline_s
        sleep(0.01)


class FinishedRun(NamedTuple):
    """A run of the quick LLM: the folder that it ran in, and what it printed."""

    folder: Path
    done: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, bench: Path) -> FinishedRun:
    folder = tmp_path_factory.mktemp("finished")
    return FinishedRun(folder, run(folder, "--path", "text", "--llm", "quick", "--bench", str(bench)))


@pytest.mark.slow
def test_a_run_prints_a_table_and_leaves_its_records(finished: FinishedRun) -> None:
    done = finished.done
    assert done.returncode == 0, done.stderr
    for cell in ("sound", "music", "speech", "66.7%", "54.1–77.3", "Run folder: runs/tiny-text-quick"):
        assert cell in done.stdout
    assert "60/60" in done.stderr
    folder = finished.folder / "runs" / "tiny-text-quick"
    summary = json.loads((folder / "summary.json").read_text())
    assert (summary["n"], summary["correct_strict"], summary["unread"], summary["failed"]) == (60, 40, 0, 0)
    assert summary["by_task"]["sound"]["correct_strict"] == 0
    record = RunRecord.model_validate_json((folder / "run.json").read_bytes())
    assert [(model.role, model.name, model.revision) for model in record.models] == [("llm", "quick", "scripted")]
    assert len((folder / "predictions.jsonl").read_text().splitlines()) == NUM_ITEMS


@pytest.mark.slow
def test_a_finished_run_asks_nothing_again(finished: FinishedRun, bench: Path) -> None:
    second = run(finished.folder, "--path", "text", "--llm", "quick", "--bench", str(bench))
    assert second.stdout == finished.done.stdout
    assert len(asked(finished.folder)) == NUM_ITEMS


@pytest.mark.slow
def test_failing_requests_stay_in_the_denominator_and_are_shown(tmp_path: Path, bench: Path) -> None:
    arguments = ("--path", "text", "--llm", "broken", "--bench", str(bench), "--out", "here", "--concurrency", "1")
    done = run(tmp_path, *arguments)
    assert done.returncode == 0
    assert done.stderr.count("The server answered 500.") == NUM_ITEMS // 5
    summary = json.loads((tmp_path / "here" / "summary.json").read_text())
    assert (summary["n"], summary["failed"]) == (NUM_ITEMS, 12)
    again = run(tmp_path, *arguments, "--retry-failed")
    summary = json.loads((tmp_path / "here" / "summary.json").read_text())
    assert again.returncode == 0
    assert (summary["n"], summary["failed"]) == (NUM_ITEMS, 2)
    assert len(asked(tmp_path)) == NUM_ITEMS + 12


@pytest.mark.slow
def test_after_sigkill_no_finished_item_is_asked_twice(tmp_path: Path, bench: Path) -> None:
    arguments = ("--path", "text", "--llm", "slow", "--bench", str(bench), "--concurrency", "4")
    process = start(tmp_path, *arguments)
    wait_until_some_are_finished(process, tmp_path)
    process.kill()
    process.communicate()
    finished_ids = {
        json.loads(line)["question"]
        for line in (tmp_path / "runs" / "tiny-text-slow" / "predictions.jsonl").read_text().splitlines()
    }
    before = len(asked(tmp_path))
    done = run(tmp_path, *arguments)
    assert done.returncode == 0, done.stderr
    later = asked(tmp_path)[before:]
    assert len(later) == NUM_ITEMS - len(finished_ids)
    assert not [question for question in finished_ids if any(question in line for line in later)]
    assert len(asked(tmp_path)) <= NUM_ITEMS + 4
    lines = (tmp_path / "runs" / "tiny-text-slow" / "predictions.jsonl").read_text().splitlines()
    assert len({json.loads(line)["id"] for line in lines}) == len(lines) == NUM_ITEMS
    summary = json.loads((tmp_path / "runs" / "tiny-text-slow" / "summary.json").read_text())
    assert (summary["n"], summary["correct_strict"]) == (60, 40)


@pytest.mark.slow
def test_ctrl_c_ends_with_the_partial_table(tmp_path: Path, bench: Path) -> None:
    process = start(tmp_path, "--path", "text", "--llm", "slow", "--bench", str(bench), "--concurrency", "2")
    wait_until_some_are_finished(process, tmp_path)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "strict" in stdout
    assert f"of {NUM_ITEMS} items; the same command asks the rest." in stdout
    assert "Traceback" not in stderr
    assert not (tmp_path / "runs" / "tiny-text-slow" / "summary.json").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--llm", "phi-5"], "eval: No LLM named 'phi-5'. Known: "),
        (["--path", "telepathy"], "eval: No path named 'telepathy'. Known: text, cascade, lalm, informed, auto."),
        (["--bench", "mmmu"], "eval: No benchmark named 'mmmu'. Known: "),
        (["--bench", "gone.json"], "eval: Benchmark 'gone.json' cannot be read: No such file or directory."),
        (["--bench", "mmau"], "eval: mmau is not at "),
        (["--captioner", "poet", "--path", "cascade"], "eval: No captioner named 'poet'. Known: "),
        (["--asr", "poet", "--path", "cascade"], "eval: No ASR named 'poet'. Known: "),
        (["--llm", ""], "eval: --llm is empty, as where a variable of the shell is not set: give it a value, or leave"),
        (["--bench", ""], "eval: --bench is empty, as"),
        (["--temperature", "inf"], "eval: --temperature inf would draw every token alike: give a number."),
        (["--captioner", "acoustic"], "eval: Path 'text' hears nothing: leave out --captioner."),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    bench: Path,
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(catalog.LLMS, "quick", lambda url: Unused())
    with pytest.raises(SystemExit) as ended:
        main(["run", "--path", "text", "--llm", "quick", "--bench", str(bench), *arguments])
    stdout, stderr = capsys.readouterr()
    assert (ended.value.code, stdout) == (2, "")
    assert stderr.startswith(said)
    assert stderr.count("\n") == 1


def open_down(url: str | None) -> ScriptedLLM:
    async def choose(prompt: str, choices: tuple[Choice, ...]) -> Reading:
        raise ModelError("slow down" if "number 7?" in prompt else "The server answered 500.")

    async def judge(prompt: str) -> Reading:
        raise ModelError("The judge is away.")

    return ScriptedLLM(judge, choose, name="down")


@pytest.fixture
def down(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of an LLM that is down."""
    monkeypatch.setitem(catalog.LLMS, "down", open_down)
    return "down"


def run_to_the_end(*arguments: str | Path) -> object:
    """Run the command, and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(one) for one in arguments])
    return ended.value.code


@pytest.mark.parametrize(("num", "reason"), [(5, "the reason: The server"), (9, "the reason 8 times of 9: The server")])
def test_a_run_without_any_answer_says_the_common_reason_and_exits_with_2(
    num: int, reason: str, bench: Path, tmp_path: Path, down: str, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    limited = ("--bench", bench, "--limit", str(num), "--out", out)
    assert run_to_the_end("run", "--path", "text", "--llm", down, *limited) == 2
    stdout, stderr = capsys.readouterr()
    assert "strict" in stdout
    assert stderr.endswith(f"eval: {num} items, and not one could be scored; {reason} answered 500.\n")
    assert len((out / "predictions.jsonl").read_text().splitlines()) == num


def test_a_run_none_of_whose_replies_could_be_judged_says_so(
    tmp_path: Path, down: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(catalog.LLMS, "talker", lambda url: ScriptedLLM(lambda _: "A dog.", name="talker"))
    bench = tmp_path / "open.json"
    bench.write_text(json.dumps([{"id": "1", "question": "What barks?", "answer": "a dog"}]))
    monkeypatch.chdir(tmp_path)
    judged = ("--judge", down, "--bench", bench, "--out", "judged")
    assert run_to_the_end("run", "--path", "text", "--llm", "talker", *judged) == 2
    assert capsys.readouterr().err.endswith(
        "eval: 1 item, and not one could be scored; the reason: judge down: The judge is away.\n"
    )


@pytest.mark.slow
def test_a_grid_none_of_whose_models_answers_exits_with_2_and_one_with_an_answer_with_1(
    bench: Path, tmp_path: Path, down: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def open_large(url: str | None) -> ScriptedLLM:
        raise ModelError("It needs a GPU.")

    monkeypatch.setitem(catalog.LLMS, "large", open_large)
    shared = ("grid", "--path", "text", "--bench", bench, "--limit", "2")
    assert run_to_the_end(*shared, "--llm", f"{down},large", "--out", tmp_path / "grid") == 2
    said = "eval: No run of the grid answered anything; the reason 2 times of 3: The server answered 500.\n"
    assert capsys.readouterr().err.endswith(said)
    assert (tmp_path / "grid" / "grid.json").is_file()
    monkeypatch.setattr("eval.cli.leave_now", sys.exit)
    monkeypatch.setitem(catalog.LLMS, "sure", lambda url: ScriptedLLM(choose=weigh(0.9, 0.1), name="sure"))
    assert run_to_the_end(*shared, "--llm", "sure,large", "--out", tmp_path / "other") == 1
    assert "not one could" not in capsys.readouterr().err


@pytest.mark.usefixtures("down")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--path", "text", "--llm", "down,down"], "Two LLMs would stand in the row 'down'; give each a name of its"),
        (["--llm", "down", "--captioner", "acoustic,acoustic"], "--captioner names 'acoustic' twice: name it once."),
        (["--path", "text", "--llm", "down,down", "--rows", "a,a"], "Two LLMs would stand in the row 'a'; give"),
    ],
)
def test_a_grid_drops_no_row_and_no_column_that_is_named_twice(
    arguments: list[str], said: str, bench: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_to_the_end("grid", "--bench", bench, "--out", tmp_path / "grid", *arguments) == 2
    assert capsys.readouterr().err.startswith(f"eval: {said}")
    assert not (tmp_path / "grid").exists()


@pytest.mark.slow
def test_changed_options_on_a_folder_are_refused(finished: FinishedRun, bench: Path) -> None:
    arguments = ("--path", "text", "--bench", str(bench), "--out", "runs/tiny-text-quick")
    done = run(finished.folder, *arguments, "--llm", "slow")
    assert done.returncode == 2
    assert "llm was 'quick' and is now 'slow'" in done.stderr


@pytest.mark.slow
def test_the_line_works_as_typed_in_a_shell_without_one_and_as_a_module() -> None:
    line = "eval run --path cascade --llm no-such-llm --bench mmau"
    scripts = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    ways: list[list[str]] = [
        [shutil.which("bash") or "bash", "-c", line],
        [str(Path(sys.executable).with_name("eval")), *line.split()[1:]],
        [sys.executable, "-m", *line.split()],
    ]
    for way in ways:
        done = subprocess.run(way, cwd=ROOT, env=os.environ | scripts, text=True, capture_output=True, check=False)
        assert done.returncode == 2, way
        assert done.stderr.startswith("eval: No LLM named 'no-such-llm'. Known: "), way


@pytest.mark.slow
def test_help_comes_within_a_second_in_panels() -> None:
    environment = os.environ | {"COLUMNS": "200"}
    command = [sys.executable, "-X", "importtime", "-m", "eval", "run", "--help"]
    done = subprocess.run(command, cwd=ROOT, env=environment, text=True, capture_output=True, check=True)
    titles = ("Models", "Answering", "Benchmark", "Controls", "Run", "Output")
    assert all(f"─ {title} ─" in done.stdout for title in titles)
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines()}
    assert not imported & {"numpy", "torch", "langgraph", "pandas", "httpx", "aiohttp"}
