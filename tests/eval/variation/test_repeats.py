"""Runs that ask everything several times."""

import json
import os
import random
import signal
from pathlib import Path

import pytest

from eval.run import session
from eval.run.request import RunRequest
from eval.scoring.scoring import RepeatScore
from eval.store.run_folder import require_record
from eval.store.stored import read_predictions
from services import catalog
from services.errors import BadConfig, UnknownName
from services.scripted.llm import ScriptedLLM
from services.types import ReadingStyle, Sampling

OPTIONS = ["a bell", "a dog", "a violin", "rain"]
NUM_ITEMS = 12


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rows = [
        {"id": f"i{n}", "question": f"Which, {n}?", "choices": OPTIONS, "answer": OPTIONS[n % 4]} for n in range(12)
    ]
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(rows))
    knowing = {f"Which, {n}?": OPTIONS[n % 4] for n in range(NUM_ITEMS)}

    def know(prompt: str) -> str:
        return next(answer for question, answer in knowing.items() if question in prompt)

    def first_listed(prompt: str) -> str:
        return next(line[3:] for line in prompt.splitlines() if line.startswith("A. "))

    def open_drawing(url: str | None, sampling: Sampling | None = None, /) -> ScriptedLLM:
        """Open an LLM that answers right in about half of its draws."""
        seed = sampling.seed if sampling else None

        def draw(prompt: str) -> str:
            return know(prompt) if random.Random(f"{seed} {prompt}").random() < 0.5 else "no idea"

        return ScriptedLLM(draw, name="drawing")

    texts = ReadingStyle(scores="texts")
    monkeypatch.setitem(catalog.LLMS, "knowing", lambda url: ScriptedLLM(know, name="knowing", style=texts))
    monkeypatch.setitem(catalog.LLMS, "first", lambda url: ScriptedLLM(first_listed, name="first"))
    monkeypatch.setitem(catalog.LLMS, "drawing", open_drawing)
    return file


def ask(bench: Path, model: str, **fields: object) -> RepeatScore:
    shared = {"path": "text", "bench": str(bench), "llm": model, "concurrency": 4, "out": bench.parent / model}
    outcome = session.run(RunRequest.model_validate(shared | {"repeats": 3} | fields))
    assert outcome.is_complete
    assert outcome.summary.repeats is not None
    return outcome.summary.repeats


@pytest.mark.slow
def test_a_model_that_prefers_a_place_is_found_out_by_other_orders_of_the_options(bench: Path) -> None:
    found = ask(bench, "first")
    folders = [bench.parent / "first", *(bench.parent / "first" / "repeats" / number for number in "23")]
    right = [[one.correct_strict for one in sorted(read_predictions(f), key=lambda one: one.id)] for f in folders]
    assert sum(right[0]) == 3
    assert found.accuracies == tuple(sum(one) / NUM_ITEMS for one in right)
    assert found.mean == pytest.approx(sum(map(sum, right)) / (3 * NUM_ITEMS))
    mean = sum(found.accuracies) / 3
    assert found.sd == pytest.approx((sum((one - mean) ** 2 for one in found.accuracies) / 2) ** 0.5)
    assert (found.num, found.varies, found.reads_order, found.n, found.fixed) == (3, "option order", True, 12, 0)
    assert found.differing > 6
    assert found.always_right <= min(map(sum, right)) <= max(map(sum, right)) <= found.ever_right
    low, high = found.ci_95
    assert low < found.mean < high
    assert require_record(folders[2]).options.repeat == 3


@pytest.mark.slow
def test_a_model_that_compares_texts_cannot_differ_and_this_is_told(bench: Path) -> None:
    found = ask(bench, "knowing")
    assert (found.accuracies, found.sd, found.differing, found.reads_order) == ((1.0, 1.0, 1.0), 0.0, 0, False)


@pytest.mark.slow
def test_a_model_at_a_temperature_draws_with_another_seed_and_keeps_the_order(bench: Path) -> None:
    found = ask(bench, "drawing", temperature=0.7, seed=5)
    assert (found.varies, found.fixed) == ("sampling", 0)
    assert len({*found.accuracies}) > 1 or found.differing > 0
    orders = {one.choices for number in "23" for one in read_predictions(bench.parent / "drawing" / "repeats" / number)}
    assert orders == {tuple(OPTIONS)}
    again = ask(bench, "drawing", temperature=0.7, seed=5)
    assert again == found


@pytest.mark.slow
def test_more_repeats_of_a_finished_run_ask_only_what_is_new(bench: Path) -> None:
    two = ask(bench, "first", repeats=2)
    three = ask(bench, "first", repeats=3)
    assert three.accuracies[:2] == two.accuracies


@pytest.mark.slow
def test_figures_of_repeats_survive_a_later_command_that_asks_for_none(bench: Path) -> None:
    three = ask(bench, "first")
    assert ask(bench, "first", repeats=1) == three
    assert ask(bench, "first", repeats=2) == three


@pytest.mark.slow
def test_open_questions_are_asked_alike_each_time_and_said_to_be(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"id": f"o{n}", "question": f"Say what {n} is.", "answer": "a bell"} for n in range(3)]
    bench.write_text(json.dumps(rows))
    monkeypatch.setitem(catalog.LLMS, "talking", lambda url: ScriptedLLM(lambda _: "It is a bell.", name="talking"))
    monkeypatch.setitem(catalog.LLMS, "judge", lambda url: ScriptedLLM(lambda _: "right", name="judge"))
    found = ask(bench, "talking", judges=("judge",))
    assert (found.fixed, found.n, found.accuracies) == (3, 3, (1.0, 1.0, 1.0))


@pytest.mark.slow
def test_ctrl_c_in_one_repeat_begins_no_other(bench: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def interrupt(prompt: str) -> str:
        asked.append(prompt)
        if len(asked) == NUM_ITEMS + 3:
            os.kill(os.getpid(), signal.SIGINT)
        return "rain"

    monkeypatch.setitem(catalog.LLMS, "interrupted", lambda url: ScriptedLLM(interrupt, name="interrupted"))
    out = bench.parent / "out"
    fields = {"path": "text", "bench": str(bench), "llm": "interrupted", "concurrency": 1, "out": out, "repeats": 4}
    outcome = session.run(RunRequest.model_validate(fields))
    assert not outcome.is_complete and NUM_ITEMS < len(asked) < 2 * NUM_ITEMS
    assert [place.name for place in (out / "repeats").iterdir()] == ["2"]


@pytest.mark.slow
def test_a_judge_that_is_unknown_is_told_before_anything_is_asked(bench: Path) -> None:
    with pytest.raises(UnknownName, match="No LLM named 'nobody'"):
        ask(bench, "first", judges=("nobody",))
    assert not (bench.parent / "first").exists()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"temperature": 0.0}, "--temperature 0 draws nothing"),
        ({"temperature": 0.5, "path": "lalm"}, "leave it out on path 'lalm'"),
        ({"temperature": 0.5, "rotations": 2}, "leave out --rotations"),
        ({"prompt_form": "desta", "server": "http://x", "llm": None}, "leave out --prompt-form"),
    ],
)
def test_options_that_would_change_nothing_are_refused(bench: Path, fields: dict[str, object], message: str) -> None:
    with pytest.raises(BadConfig, match=message):
        ask(bench, "first", **fields)
