"""A finished run of six questions in two tasks."""

from pathlib import Path

import pytest

from eval.benchmarks.benchmark import Item
from eval.scoring.scoring import summarise
from eval.store.provenance import describe_environment
from eval.store.records import ModelUse, RunOptions, RunRecord, judge_answer
from eval.store.run_folder import open_run, write_summary
from services.types import Answer, Choice, Usage

OPTIONS = ("a bell", "a dog", "rain")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return its folder: questions 0 to 3 are right, the fourth is wrong, the fifth has failed."""
    return write_run(tmp_path, ("music", "sound"))


@pytest.fixture
def alike(tmp_path: Path) -> Path:
    """Return the folder of a run whose tasks are one name where it may only hold letters; one is called as all are."""
    return write_run(tmp_path, ("a b", "a/b", "all"))


def write_run(tmp_path: Path, tasks: tuple[str, ...]) -> Path:
    """Write a run whose questions are of these tasks in turn."""
    record = RunRecord(
        options=RunOptions(benchmark="made up", path="text", llm="reader"),
        benchmark_file="made-up.json",
        benchmark_sha256="0123456789abcdef0123",
        prompts_sha256="2",
        models=(ModelUse(role="llm", name="org/reader", revision="7"),),
        environments=(describe_environment(),),
    )
    folder = tmp_path / "run"
    with open_run(folder, record) as opened:
        for number in range(6):
            item = Item(
                id=f"q{number}",
                audio=(f"{number}.wav", f"{number}b.wav")[:number],
                question=f"What is {number}?",
                choices=OPTIONS,
                answer="a dog",
                task=tasks[number % len(tasks)],
            )
            letter = "B" if number < 4 else "C"
            choice = Choice(letter=letter, text=OPTIONS["ABC".index(letter)])
            answer = Answer(question_id=item.id, reply=f"({letter})", choice=choice, path="text", usage=Usage())
            failed = "the server is down" if number == 5 else None
            opened.append(judge_answer(item, None if failed else answer, failed, took_s=0.5, clock_s=number))
    write_summary(folder, summarise(opened.verdicts.values()))
    return folder
