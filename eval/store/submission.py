"""Predictions of a run as the scorers of a benchmark's authors take them."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from string import ascii_uppercase

from pydantic_core import to_json, to_jsonable_python

from eval.benchmarks.benchmark import Benchmark
from eval.benchmarks.rows import PublishedRow, read_published
from eval.scoring.official import READS_LETTERS
from eval.store.records import Prediction
from eval.store.stored import read_predictions
from services.files import write_atomic

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
    """Return the rows whose item was asked: `--limit` and `--sample` leave others out."""
    return [
        {**row, **dict.fromkeys(benchmark.submission_keys, _word_prediction(benchmark, prediction, options))}
        for row, item_id, options in _read_rows(benchmark)
        if (prediction := predictions.get(item_id)) is not None
    ]


def _read_rows(benchmark: Benchmark) -> Iterable[PublishedRow]:
    if not benchmark.declared:
        return read_published(benchmark.file)
    from eval.benchmarks.named import list_published  # and with it YAML, which MMAU and MMAR do without

    return list_published(benchmark)


def _word_prediction(benchmark: Benchmark, prediction: Prediction, options: tuple[str, ...]) -> str:
    """Return a prediction as the benchmark's script reads it, which letters the options by their columns."""
    answer = prediction.response
    if benchmark.official_rule not in READS_LETTERS or answer is None or answer.choice is None:
        return prediction.model_prediction
    shown = [letter for letter, option in zip(ascii_uppercase, options, strict=False) if option.strip()]
    if len(options) == len(prediction.choices) or len(shown) != len(prediction.choices):
        return answer.choice.letter
    return shown[ascii_uppercase.index(answer.choice.letter)]


def _build_own_row(prediction: Prediction) -> dict[str, object]:
    """Return an item with its prediction, in the form that `earwitness eval score` reads."""
    item = prediction.model_dump(include={"id", "question", "choices", "answer", "task", "category", "sub_category"})
    return {**item, OWN_KEY: prediction.model_prediction}
