"""Predictions for a benchmark whose answers are withheld, as its authors' scorer takes them."""

import json
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark
from eval.benchmarks.rows import is_json_lines
from eval.store.stored import read_predictions
from services.files import write_atomic

FILE_NAME = "submission.json"


def write_submission(benchmark: Benchmark, out: Path) -> Path:
    """Write the benchmark's rows, as published, each with its prediction under the keys that the scorers read.

    All keys hold the text of the option that was read, or the raw reply where none was: the official
    matcher calls a bare letter wrong. A failed item's prediction is empty. Raw replies stay in predictions.jsonl.
    """
    predicted = {prediction.id: prediction.model_prediction for prediction in read_predictions(out)}
    content = benchmark.file.read_bytes()
    rows = (
        [json.loads(line) for line in content.splitlines() if line.strip()]
        if is_json_lines(benchmark.file, content)
        else json.loads(content)
    )
    keys = benchmark.submission_keys
    asked = [row | dict.fromkeys(keys, predicted[row["id"]]) for row in rows if row["id"] in predicted]
    file = out / FILE_NAME
    write_atomic(file, json.dumps(asked, indent=1, ensure_ascii=False))
    return file
