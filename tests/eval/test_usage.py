"""A command line that cannot be parsed: one line on stderr, exit code 2, and where its help is."""

import sys

import pytest

from deploy.cli import main as run_earwitness
from eval.cli import main as run_eval
from lalm.train.cli import main as run_train

CASES = [
    (["nope"], "earwitness: No such command 'nope'. See 'earwitness -h'.\n"),
    (["ask"], "earwitness: Missing argument 'RECORDING'. See 'earwitness ask -h'.\n"),
    (
        ["eval", "run", "--nope"],
        "earwitness: No such option: --nope (Possible options: --price). See 'earwitness eval run -h'.\n",
    ),
    (
        ["eval", "run", "--limit", "few"],
        "earwitness: Invalid value for '--limit': Input should be a valid integer, unable to parse string as an "
        "integer (given: 'few'). See 'earwitness eval run -h'.\n",
    ),
]


@pytest.mark.parametrize(("arguments", "line"), CASES)
def test_an_unusable_command_line_is_one_line(
    arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        run_earwitness(arguments)
    printed = capsys.readouterr()
    assert (ended.value.code, printed.out, printed.err) == (2, "", line)


def test_a_command_that_is_nearly_right_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run_eval(["repot"])
    line = "eval: No such command 'repot'. Did you mean 'report'? See 'eval -h'.\n"
    assert capsys.readouterr().err == line


def test_a_group_without_a_command_prints_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_earwitness(["models"])
    printed = capsys.readouterr()
    assert ended.value.code == 2
    assert "pull" in printed.out + printed.err


def test_a_command_that_worked_ends_with_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run_earwitness(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("earwitness ")


def test_an_unusable_command_line_of_a_recipe_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["train"])
    with pytest.raises(SystemExit) as ended:
        run_train()
    assert ended.value.code == 2
    line = "python -m lalm.train: the following arguments are required: config, run. See 'python -m lalm.train -h'.\n"
    assert capsys.readouterr().err == line
