"""The shared option groups: which flags each command has, and flags that a YAML file sets."""

import ast
import inspect
from dataclasses import MISSING, fields
from pathlib import Path

import pytest
import typer
from click import Command
from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from agents.paths import BUDGETS
from deploy.cli import app
from eval import cli
from eval.options import AnsweringOptions, AskingOptions, BenchmarkOptions, JudgingOptions, ModelOptions, RunningOptions
from eval.run import session
from eval.run.request import BENCHMARK_BUDGETS, Price, RunRequest
from lalm.names import DEFAULT_LALM
from services.catalog import DEFAULT_ASR, DEFAULT_CAPTIONER, DEFAULT_LLM

ROOT = Path(__file__).parents[2]
MOST_OWN_PARAMETERS = 12
MODELS = ["--llm", "--llm-url", "--captioner", "--asr", "--lalm", "--lalm-url", "--include"]
ANSWERING = ["--path", "--budget", "--summary", "--planner", "--rotations", "--router", "--calibration", "--explain"]
BENCHMARK = ["--bench", "--audio-root", "--missing", "--fields", "--limit", "--sample"]
ASKING = ["--repeats", "--temperature", "--prompt-form"]
JUDGING = ["--judge", "--judge-url"]
RUNNING = ["--config", "--concurrency", "--retry-failed", "--price", "--out", "--export", "--track", "--quiet"]
FLAGS = {
    ("ask",): [
        *("asked", "--question", "--choice", "--server", *MODELS, *ANSWERING),
        *("--deadline", "--json", "--quiet"),
    ],
    ("eval", "run"): [
        *(*MODELS, "--server", *ANSWERING, *BENCHMARK),
        *("--control", "--probe-items", "--seed", *ASKING, *JUDGING, *RUNNING, "--abstain", "--by"),
    ],
    ("eval", "grid"): [*MODELS, "--rows", *ANSWERING, *BENCHMARK, *ASKING, *JUDGING, *RUNNING],
    ("eval", "study"): ["file", "--out", "--dry-run", "--max-audio-mb", "--quiet"],
    ("eval", "score"): ["predictions", "--bench", "--key", "--fields", "--json"],
    ("eval", "compare"): ["a", "b", "others", "--scorer", "--key-a", "--key-b", "--json"],
    ("eval", "correlate"): ["runs", "--x", "--y", "--control-for", "--json"],
    ("eval", "recommend"): ["runs", "--x", "--y", "--n", "--seed", "--json"],
    ("eval", "reproduce"): ["runs", "--json"],
    ("eval", "report"): ["runs", "--html", "--max-audio-mb"],
    ("eval", "fit-router"): ["run_cascade", "run_lalm", "--out", "--json", "--quiet"],
    ("eval", "rubric"): ["folder", "--judge", "--judge-url", "--raters", "--concurrency", "--claims-only"],
    ("eval", "profile"): ["text_run", "lalm_run", "--out", "--json"],
    ("eval", "ablate-tools"): ["run", "--samples", "--seed", "--lalm-run", "--json", "--quiet"],
    ("eval", "probe"): [
        *("run", "--label", "--bench", "--audio-root", "--fields", "--folds", "--seed", "--question", "--out"),
        *("--json", "--quiet"),
    ],
    ("eval", "probe-text"): [
        *("lalm", "--label", "--bench", "--audio-root", "--fields", "--folds", "--seed", "--backbone", "--out"),
        *("--json", "--quiet"),
    ],
    ("eval", "forgetting"): ["lalm", "--bench", "--recording", "--sample", "--seed", "--out", "--json", "--quiet"],
    ("eval", "akb-check"): ["bench", "--wordnet", "--cmudict", "--audioset", "--opus", "--flac"],
    ("eval", "akb-review"): ["bench", "--annotator", "--out", "--merge", "--kept"],
}


def flags(*names: str) -> list[str]:
    """Return a command's arguments and flags in order."""
    found = get_command(app)
    for name in names:
        assert isinstance(found, TyperGroup)
        found = found.commands[name]
    return [one.opts[0] if one.param_type_name == "option" else str(one.name) for one in found.params]


@pytest.mark.parametrize("names", FLAGS, ids=" ".join)
def test_each_command_has_exactly_these_flags(names: tuple[str, ...]) -> None:
    assert flags(*names) == FLAGS[names]


@pytest.mark.parametrize("names", FLAGS, ids=" ".join)
def test_a_flag_without_a_default_is_required(names: tuple[str, ...]) -> None:
    found = get_command(app)
    for name in names:
        assert isinstance(found, TyperGroup)
        found = found.commands[name]
    assert not [one.name for one in found.params if one.default is MISSING]
    assert [one.name for one in found.params if one.name == "label" and not one.required] == []


def test_the_list_above_names_every_command_of_eval() -> None:
    group = get_command(cli.app)
    assert isinstance(group, TyperGroup)
    assert {("eval", name) for name in group.commands} == {names for names in FLAGS if names[0] == "eval"}


@pytest.mark.parametrize("file", ["deploy/cli.py", "eval/cli.py", "eval/analysis_cli.py", "eval/akb_open/cli.py"])
def test_a_command_has_few_parameters_beside_the_shared_groups(file: str) -> None:
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.FunctionDef):
            assert len(node.args.args) + len(node.args.kwonlyargs) <= MOST_OWN_PARAMETERS, node.name


def test_no_option_is_in_two_groups() -> None:
    groups = (ModelOptions, AnsweringOptions, BenchmarkOptions, AskingOptions, JudgingOptions, RunningOptions)
    names = [one.name for group in groups for one in fields(group)]
    assert len(names) == len(set(names))
    assert all(one.default is not inspect.Parameter.empty for group in groups for one in fields(group))


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[RunRequest]:
    """Return the list of what `eval run` asks for, instead of running it."""
    asked: list[RunRequest] = []

    def run(request: RunRequest) -> None:
        asked.append(request)
        raise typer.Exit

    monkeypatch.setattr(session, "run", run)
    return asked


def config(tmp_path: Path, *lines: str) -> str:
    file = tmp_path / "run.yaml"
    file.write_text("\n".join(lines))
    return str(file)


def test_a_configuration_sets_flags_and_the_command_line_wins(tmp_path: Path, requests: list[RunRequest]) -> None:
    file = config(
        tmp_path,
        "control: [no-audio, longest]",
        "probe_items: 20",
        "by: [sub-category]",
        "limit: 3",
        "price: 0.15/0.60",
    )
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "--config", file, "--limit", "7"])
    assert not end.value.code
    (request,) = requests
    assert request.controls == ("no-audio", "longest")
    assert (request.num_probed, request.limit, request.seed) == (20, 7, 0)
    assert request.price == Price(prompt=0.15, completion=0.6)


@pytest.mark.parametrize(
    ("verb", "line", "words"),
    [
        ("run", "probe_item: 20", "unknown key 'probe_item'; did you mean 'probe_items'?"),
        ("grid", "probe_items: 20", "unknown key 'probe_items'; known: llm, llm_url"),
        ("run", "[1, 2]", "holds no keys. Known: llm, llm_url"),
        ("run", "limit: 1\nlimit: 2", "key 'limit' is given twice"),
        ("run", "limit: '2'", "run.yaml': limit = '2': Input should be a valid integer."),
        ("run", "limit: 0", "run.yaml': limit = 0: Input should be greater than or equal to 1."),
        ("run", "seed: true", "run.yaml': seed = True: Input should be a valid integer."),
        ("run", "retry_failed: 'yes'", "retry_failed = 'yes': Input should be a valid boolean."),
        ("run", "control: no-audio", "control = 'no-audio': Input should be a valid list."),
        ("run", "missing: maybe", "missing = 'maybe': Input should be 'skip' or 'fail'."),
        ("run", "out: 5", "out = 5: Input should be a valid string."),
    ],
)
def test_a_configuration_that_cannot_be_used_says_what_would_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], verb: str, line: str, words: str
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([verb, "--config", config(tmp_path, line)])
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_a_wrong_value_is_refused_even_where_the_command_line_wins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main(["run", "--config", config(tmp_path, "limit: many"), "--limit", "7"])
    assert end.value.code == 2
    assert "limit = 'many'" in capsys.readouterr().err


def test_the_defaults_that_help_shows_are_those_that_are_taken() -> None:
    shown = {one.name: one.show_default for one in get_ask().params if isinstance(one, TyperOption)}
    assert shown["llm"] == DEFAULT_LLM
    assert (shown["captioner"], shown["asr"], shown["lalm"]) == (DEFAULT_CAPTIONER, DEFAULT_ASR, DEFAULT_LALM)
    assert BUDGETS["cascade"] == BUDGETS["auto"] == 1 and BENCHMARK_BUDGETS["cascade"] == 0
    assert shown["budget"] == "1; 0 on path cascade of benchmarks"


def get_ask() -> Command:
    group = get_command(app)
    assert isinstance(group, TyperGroup)
    return group.commands["ask"]
