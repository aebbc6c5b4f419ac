"""Predictions of a run as the scorers of a benchmark's authors take them."""

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic_core import to_json, to_jsonable_python

from eval.benchmarks.benchmark import Benchmark
from eval.benchmarks.rows import read_published
from eval.benchmarks.tables import read_table
from eval.scoring.official import READS_LETTERS
from eval.store.records import Prediction
from eval.store.stored import read_predictions
from services.files import write_atomic
from services.json_lines import format_id

FILE_NAME = "submission.json"
LINES_NAME = "submission.jsonl"  # where the authors' script reads JSON lines
OWN_KEY = "model_prediction"  # where no script of the benchmark's authors names one


def write_submission(benchmark: Benchmark, out: Path) -> Path:
    """Write the benchmark's rows, as published, each with its prediction under the keys that the scorers read.

    All keys hold the text of the option that was read, or the raw reply where none was: the official
    matcher calls a bare letter wrong. A failed item's prediction is empty. Raw replies stay in predictions.jsonl.
    Where the script reads letters, they hold the letter. A benchmark without such a scorer gets the rows as they were
    asked.
    """
    predictions = {prediction.id: prediction for prediction in read_predictions(out)}
    rows = (
        _fill_published(benchmark, predictions)
        if benchmark.submission_keys
        else list(map(_build_own_row, predictions.values()))
    )
    file = out / (LINES_NAME if benchmark.submission_lines else FILE_NAME)
    if benchmark.submission_lines:
        write_atomic(file, "".join(f"{_dump_line(row)}\n" for row in rows))
    else:
        write_atomic(file, to_json(rows, indent=1))
    return file


def _dump_line(row: dict[str, object]) -> str:
    return json.dumps(row, ensure_ascii=False, default=to_jsonable_python)  # dates, which columns of Parquet hold


def _fill_published(benchmark: Benchmark, predictions: Mapping[str, Prediction]) -> list[dict[str, object]]:
    if benchmark.declared:
        # One item for each row, in their order; `--limit` may have left out the last ones.
        rows = map(dict[str, object], read_table(benchmark.file).rows)
        published = list(zip(rows, (item.id for item in benchmark.items), strict=False))
    else:
        published = [(row, str(format_id(row["id"]))) for row in read_published(benchmark.file)]
    asked = [(row, predictions.get(row_id)) for row, row_id in published]
    return [
        row | dict.fromkeys(benchmark.submission_keys, _word_prediction(benchmark, prediction))
        for row, prediction in asked
        if prediction is not None
    ]


def _word_prediction(benchmark: Benchmark, prediction: Prediction) -> str:
    """Return a prediction as the benchmark's script reads it."""
    answer = prediction.response
    if benchmark.official_rule in READS_LETTERS and answer is not None and answer.choice is not None:
        return answer.choice.letter
    return prediction.model_prediction


def _build_own_row(prediction: Prediction) -> dict[str, object]:
    """Return an item with its prediction, in the form that `earwitness eval score` reads."""
    item = prediction.model_dump(include={"id", "question", "choices", "answer", "task", "category", "sub_category"})
    return {**item, OWN_KEY: prediction.model_prediction}
