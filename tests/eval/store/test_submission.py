import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from eval.analysis.score import score_file
from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark
from eval.scoring.scoring import summarise
from eval.store.records import judge_answer
from eval.store.stored import open_stored
from eval.store.submission import write_submission
from services.types import Answer

ROW = {"audio_id": "a.wav", "question": "?", "choices": ["Man", "Woman"], "task": "speech", "split": "test"}


def test_published_rows_come_back_with_the_text_of_what_was_chosen(tmp_path: Path) -> None:
    file = tmp_path / "test.json"
    file.write_text(json.dumps([ROW | {"id": str(number)} for number in range(4)]))
    benchmark = find(str(file))
    item = benchmark.items[0]
    choice = item.to_question().choices[1]
    read = Answer(question_id="0", reply="B", choice=choice, path="text")
    unread = Answer(question_id="1", reply="Hard to say", choice=None, path="text")
    predictions = [
        judge_answer(benchmark.items[0], read, None, took_s=0, clock_s=0),
        judge_answer(benchmark.items[1], unread, None, took_s=0, clock_s=0),
        judge_answer(benchmark.items[2], None, "The server is gone.", took_s=0, clock_s=0),
    ]
    lines = "".join(prediction.model_dump_json() + "\n" for prediction in predictions)
    (tmp_path / "predictions.jsonl").write_text(lines)
    rows = json.loads(write_submission(benchmark, tmp_path).read_text())
    # The fourth was not asked (--limit): it is left out, not made up.
    assert [row["id"] for row in rows] == ["0", "1", "2"]
    assert [row["model_prediction"] for row in rows] == ["Woman", "Hard to say", ""]
    assert all(row["model_output"] == row["model_prediction"] for row in rows)
    assert rows[0] == ROW | {"id": "0", "model_output": "Woman", "model_prediction": "Woman"}
    summary = summarise(prediction.verdict for prediction in predictions)
    assert (summary.n, summary.withheld, summary.correct_strict, summary.failed) == (3, 3, 0, 1)
    assert summary.wilson_95 == (0.0, 1.0)


TOKENS = re.compile(r"\b\w+\b")


def script_says(rows: list[dict[str, Any]], key: str, groups: tuple[str, ...]) -> tuple[int, int]:
    """Return right and counted rows by the rules of MMAU's and MMAR's scripts, written down again.

    A row without the key is skipped; a prediction is split into a set of words; all of the answer's words have to be
    there, and no word that only another choice has. The groups that they tabulate by have to be in every row.
    """
    right = counted = 0
    for row in rows:
        if key not in row:
            continue
        assert all(isinstance(row[group], str) for group in groups)
        counted += 1
        said, answer = set(TOKENS.findall(row[key].lower())), set(TOKENS.findall(row["answer"].lower()))
        choices = [set(TOKENS.findall(choice.lower())) for choice in row["choices"]]
        others = set().union(*(choice - answer for choice in choices if choice != answer))
        right += bool(said) and answer <= said and not said & others
    return right, counted


@pytest.mark.parametrize(
    ("suffix", "place", "key", "groups"),
    [
        ("json", "audio_id", "model_output", ("task", "difficulty")),
        ("json", "audio_id", "model_prediction", ("task", "difficulty")),
        ("jsonl", "audio_path", "answer_prediction", ("modality", "category")),
    ],
)
def test_the_scripts_of_the_authors_score_our_file_as_we_do(
    tmp_path: Path, suffix: str, place: str, key: str, groups: tuple[str, ...]
) -> None:
    options = ["Guitar, Piano", "A man's voice", "Piano, Guitar, Piano", "4/4 metre"]
    row = {
        "question": "?",
        "choices": options,
        "task": "sound",
        "difficulty": "easy",
        "modality": "mix",
        "category": "x",
    }
    answers = [options[number % 4] for number in range(8)]
    rows = [row | {"id": number, place: f"{number}.wav", "answer": answer} for number, answer in enumerate(answers)]
    file = tmp_path / f"bench.{suffix}"
    file.write_text(json.dumps(rows) if suffix == "json" else "\n".join(map(json.dumps, rows)), encoding="utf-8")
    benchmark = find(str(file))
    predictions = []
    for number, item in enumerate(benchmark.items[:7]):
        choice = item.to_question().choices[(number * 3) % 4] if number % 3 else None
        answer = Answer(question_id=item.id, reply="Not sure: man or guitar", choice=choice, path="text")
        failed = "The server is gone." if number == 6 else None
        predictions.append(judge_answer(item, None if failed else answer, failed, took_s=0, clock_s=0))
    lines = "".join(prediction.model_dump_json() + "\n" for prediction in predictions)
    (tmp_path / "predictions.jsonl").write_text(lines, encoding="utf-8")
    submitted = json.loads(write_submission(benchmark, tmp_path).read_text(encoding="utf-8"))
    assert script_says(submitted, key, groups) == (summarise(one.verdict for one in predictions).correct_official, 7)
    assert [{name: row[name] for name in rows[0]} for row in submitted] == rows[:7]


@pytest.mark.slow
def test_a_benchmark_without_a_script_of_its_own_gets_a_file_that_is_scored_here(tmp_path: Path) -> None:
    file = tmp_path / "text.json"
    file.write_text(json.dumps([{"id": 1, "question": "?", "choices": ["Yes", "No"], "answer": "No"}]))
    benchmark = find(str(file))
    answer = Answer(question_id="1", reply="B", choice=benchmark.items[0].to_question().choices[1], path="text")
    prediction = judge_answer(benchmark.items[0], answer, None, took_s=0, clock_s=0)
    (tmp_path / "predictions.jsonl").write_text(prediction.model_dump_json() + "\n")
    assert [row.correct_strict for row in open_stored(write_submission(benchmark, tmp_path)).verdicts] == [True]


def test_a_declared_benchmark_gets_its_rows_with_letters_in_the_form_that_its_script_reads(tmp_path: Path) -> None:
    row = json.loads((Path(__file__).parents[2] / "data" / "benchmark-rows.json").read_text())["mmsu"]
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(json.dumps(row | {"id": name}) + "\n" for name in ("m1", "m2", "m3")))
    benchmark = find(str(file))
    replies = (("B", 1), ("it is neither", None))
    for item, (reply, place) in zip(benchmark.items, replies, strict=False):
        choice = None if place is None else item.to_question().choices[place]
        answer = Answer(question_id=item.id, reply=reply, choice=choice, path="text", trace=())
        with (tmp_path / "predictions.jsonl").open("a") as out:
            judged = judge_answer(item, answer, None, took_s=0, clock_s=0, rule=benchmark.official_rule)
            out.write(judged.model_dump_json() + "\n")
    written = write_submission(benchmark, tmp_path)
    assert written.name == "submission.jsonl"
    submitted = [json.loads(line) for line in written.read_text().splitlines()]
    assert submitted == [row | {"response": "B"}, row | {"id": "m2", "response": "it is neither"}]
    # Its script finds no letter in the second reply, and leaves it out of its denominator.
    score = score_file(written, "mmsu")
    assert (score.correct_official, score.official_dropped, score.correct_strict, score.n) == (1, 1, 1, 2)


MMSU = {
    **json.loads((Path(__file__).parents[2] / "data" / "benchmark-rows.json").read_text())["mmsu"],
    "choice_a": "",
    "choice_b": "male",
    "choice_c": "",
    "choice_d": "female",
    "answer_gt": "female",
}


def predict(benchmark: Benchmark, out: Path, place: int) -> None:
    """Write a run's predictions, all of which choose the option at that place."""
    with (out / "predictions.jsonl").open("w") as file:
        for item in benchmark.items:
            choice = item.to_question().choices[place]
            answer = Answer(question_id=item.id, reply=choice.letter, choice=choice, path="text")
            judged = judge_answer(item, answer, None, took_s=0, clock_s=0, rule=benchmark.official_rule)
            file.write(judged.model_dump_json() + "\n")


@pytest.mark.parametrize(("place", "letter", "right"), [(1, "D", 3), (0, "B", 0)])
def test_the_rows_of_a_sample_have_their_own_predictions_with_the_letters_of_their_columns(
    tmp_path: Path, place: int, letter: str, right: int
) -> None:
    file = tmp_path / "mine.jsonl"
    file.write_text("".join(json.dumps(MMSU | {"id": f"m{number}"}) + "\n" for number in range(10)))
    sample = find(str(file)).sample(3, seed=1)
    predict(sample, tmp_path, place)
    written = write_submission(sample, tmp_path)
    rows = [json.loads(line) for line in written.read_text().splitlines()]
    assert [row["id"] for row in rows] == [item.id for item in sample.items] != ["m0", "m1", "m2"]
    # What was shown as B, the second of two options, stands in the column of D.
    assert {row["response"] for row in rows} == {letter}
    score = score_file(written, "mmsu")
    assert (score.correct_official, score.correct_strict, score.unread) == (right, right, 0)


def test_a_benchmark_of_several_files_has_the_rows_of_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path))
    folder = tmp_path / "benchmarks" / "mmlu-pro" / "data"
    pyarrow = pytest.importorskip("pyarrow", reason="pip install 'earwitness[parquet]'")
    from pyarrow import parquet

    folder.mkdir(parents=True)
    row = {"question": "?", "options": ["w", "x"], "answer": "B", "category": "law"}
    for number in (1, 2):
        parquet.write_table(
            pyarrow.Table.from_pylist([row | {"question_id": number}]), folder / f"test-{number}.parquet"
        )
    benchmark = find("mmlu-pro")
    predict(benchmark, tmp_path, 1)
    rows = json.loads(write_submission(benchmark, tmp_path).read_text())
    assert [(row["question_id"], row["model_outputs"]) for row in rows] == [(1, "B"), (2, "B")]


@pytest.mark.parametrize(("is_lines", "written"), [(True, "submission.jsonl"), (False, "submission.json")])
def test_dates_of_a_parquet_file_are_written_as_texts(tmp_path: Path, is_lines: bool, written: str) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pip install 'earwitness[parquet]'")
    from pyarrow import parquet

    row = json.loads((Path(__file__).parents[2] / "data" / "benchmark-rows.json").read_text())["mmsu"]
    file = tmp_path / "mine.parquet"
    parquet.write_table(pyarrow.Table.from_pylist([row | {"made": date(2026, 1, 2), "cost": Decimal("1.50")}]), file)
    benchmark = find(str(file)).model_copy(update={"submission_lines": is_lines})
    answer = Answer(question_id="m1", reply="B", choice=None, path="text")
    judged = judge_answer(benchmark.items[0], answer, None, took_s=0, clock_s=0)
    (tmp_path / "predictions.jsonl").write_text(judged.model_dump_json() + "\n")
    submitted = write_submission(benchmark, tmp_path)
    assert submitted.name == written
    found = json.loads(submitted.read_text())
    (found,) = found if isinstance(found, list) else (found,)
    assert (found["made"], found["cost"], found["response"]) == ("2026-01-02", "1.50", "B")
