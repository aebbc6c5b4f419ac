import json
from pathlib import Path

from eval.benchmarks import find
from eval.scoring.scoring import summarise
from eval.store.records import judge_answer
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
