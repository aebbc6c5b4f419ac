"""Made-up runs of a cascade and a LALM over the same questions."""

import random
from collections.abc import Callable, Mapping
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

import pytest

from eval.benchmarks.benchmark import Item
from eval.scoring.scoring import summarise
from eval.store.provenance import describe_environment
from eval.store.records import ModelUse, RunOptions, RunRecord, judge_answer
from eval.store.run_folder import open_run, write_summary
from services.types import Answer, Choice, Draft, Usage

QUESTIONS = {
    "sound": "Which sound is heard in the background?",
    "music": "Which instrument plays the melody?",
    "speech": "What does the speaker say?",
}
OPTIONS = ("alpha", "beta", "gamma", "delta")
MODELS = {"cascade": {"llm": "reader", "captioner": "ears", "asr": "scribe"}, "lalm": {"lalm": "hearer"}}
SECONDS = {"cascade": 2.0, "lalm": 0.5}  # per question


class TwoRuns(NamedTuple):
    """The folders of both."""

    cascade: Path
    lalm: Path


Accuracies = Mapping[str, Mapping[str, float]]
"""Arm -> task -> share of right answers."""


def answered(item: Item, path: str, *, is_right: bool, sure: float, chance: random.Random) -> Answer:
    """Answer with three equal rests; the wrong option is drawn."""
    right = OPTIONS.index(str(item.answer))
    chosen = right if is_right else chance.choice([place for place in range(4) if place != right])
    probabilities = {letter: sure if place == chosen else (1 - sure) / 3 for place, letter in enumerate("ABCD")}
    return Answer.model_validate(
        {
            "question_id": item.id,
            "reply": "ABCD"[chosen],
            "choice": Choice(letter="ABCD"[chosen], text=OPTIONS[chosen]),
            "probabilities": probabilities,
            "path": path,
            "usage": Usage(prompt_tokens=100 if path == "cascade" else 10),
        }
    )


def drafts(item: Item, answer: Answer, is_right_at_first: bool) -> tuple[Draft, Draft]:
    """Return an answer's first draft, right or wrong, and what it became after one action."""
    place = OPTIONS.index(str(item.answer))
    first = place if is_right_at_first else (place + 1) % 4
    begun = Choice(letter="ABCD"[first], text=OPTIONS[first])
    return Draft(actions=0, choice=begun), Draft(actions=1, choice=answer.choice)


@pytest.fixture
def make_runs(tmp_path: Path) -> Callable[..., TwoRuns]:
    """Return what writes two seeded runs.

    `sure_if` gives the top probability of right and of wrong answers, `once` the share of the cascade's questions whose
    first draft was right, the first ones of the run; without it there are no drafts. The LALM fails at the items
    `failed`, and the cascade takes four times as long for questions of task `slow`. The folders are the same each time.
    """

    def make(
        accuracies: Accuracies,
        *,
        failed: range = range(0),
        slow: str = "",
        n: int = 300,
        sure_if: tuple[float, float] = (0.5, 0.5),
        once: float | None = None,
        seed: int = 1,
    ) -> TwoRuns:
        chance = random.Random(seed)
        items = [
            Item(
                id=f"q{number}",
                audio=f"{number * 2 // 3}.wav",
                question=QUESTIONS[task],
                choices=OPTIONS,
                answer=chance.choice(OPTIONS),
                task=task,
            )
            for number, task in enumerate(list(QUESTIONS)[n % 3] for n in range(n))
        ]
        folders = TwoRuns(tmp_path / "cascade", tmp_path / "lalm")
        for arm, folder in folders._asdict().items():
            rmtree(folder, ignore_errors=True)
            record = RunRecord(
                options=RunOptions(benchmark="made-up", path=arm),
                benchmark_file="made-up.json",
                benchmark_sha256="1",
                prompts_sha256="2",
                models=tuple(ModelUse(role=role, name=name, revision="1") for role, name in MODELS[arm].items()),
                environments=(describe_environment(),),
            )
            with open_run(folder, record) as run:
                for number, item in enumerate(items, start=1):
                    is_right = chance.random() < accuracies[arm][item.task]
                    sure = sure_if[0] if is_right else sure_if[1]
                    answer = answered(item, arm, is_right=is_right, sure=sure, chance=chance)
                    if once is not None and arm == "cascade":
                        answer = answer.model_copy(update={"drafts": drafts(item, answer, number <= once * n)})
                    why = "down" if arm == "lalm" and number in failed else None
                    clock_s = number * SECONDS[arm]
                    took_s = 4.0 if arm == "cascade" and item.task == slow else 1.0
                    run.append(judge_answer(item, None if why else answer, why, took_s=took_s, clock_s=clock_s))
            write_summary(folder, summarise(run.verdicts.values()))
        return folders

    return make
