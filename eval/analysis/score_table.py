"""Scores of several backbones on several benchmarks: what correlations and recommendations are computed from.

A table comes from run folders (a column is BENCHMARK:PATH, a row the LLM; on path lalm the LLM that --llm named,
else the LALM) or from one .csv file: `model`, optionally `family`, then one column of percentages per score.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from eval.benchmarks.tables import read_csv
from eval.scoring.scoring import RunSummary
from eval.store.run_folder import require_record
from services.errors import BadConfig
from services.json_lines import read_text

PERCENT = re.compile(r"\d+(?:[.,]\d+)?\s*%?")


class PercentScore(NamedTuple):
    """Accuracy of one model in percent, and the items that it rests on."""

    percent: float
    n: int | None
    """None where only the percentage is known."""
    chance: float | None = None
    """Percent that guessing gets; None where it is not known."""


class ScoreTable(NamedTuple):
    """Scores by column and model."""

    columns: dict[str, dict[str, PercentScore]]
    """Column name -> model -> score; a model need not be in every column."""
    families: dict[str, str]
    """Model -> family."""

    def list_shared(self, x: str, y: str) -> tuple[str, ...]:
        """Return the models that both columns have."""
        return tuple(model for model in self.get_column(x) if model in self.get_column(y))

    def get_column(self, name: str) -> dict[str, PercentScore]:
        """Return the scores of a column; `BadConfig` lists the columns that exist."""
        if name not in self.columns:
            raise BadConfig(f"No scores named {name!r}. Here are: {', '.join(self.columns)}.")
        return self.columns[name]

    def get_values(self, name: str, models: Sequence[str]) -> list[float]:
        """Return a column's percentages for these models."""
        return [self.get_column(name)[model].percent for model in models]


def read_table(paths: Sequence[Path]) -> ScoreTable:
    """Read run folders, or one file .csv or .tsv."""
    if len(paths) == 1 and paths[0].suffix.lower() in {".csv", ".tsv"}:
        return _read_csv(paths[0])
    columns: dict[str, dict[str, PercentScore]] = {}
    folders: dict[tuple[str, str], Path] = {}
    for path in paths:
        options, summary = require_record(path).options, _read_summary(path)
        model, column = options.llm or options.lalm or str(options.server), f"{options.benchmark}:{options.path}"
        if (earlier := folders.setdefault((model, column), path)) != path:
            raise BadConfig(f"{str(earlier)!r} and {str(path)!r} both score {model!r} on {column}; name one of them.")
        n = summary.n - summary.withheld
        if not n:
            raise BadConfig(f"{str(path)!r} has no score: the answers are withheld.")
        if summary.failed == summary.n:
            raise BadConfig(f"{str(path)!r} has no score: every item failed.")
        chance = None if summary.chance is None else 100 * summary.chance
        columns.setdefault(column, {})[model] = PercentScore(100 * summary.correct_strict / n, n, chance)
    return ScoreTable(columns, {model: read_family(model) for model, _ in folders})


def read_family(model: str) -> str:
    """Return the family that a model's name says: its letters before the first digit or hyphen."""
    match = re.match(r"[^\W\d_]+", Path(model).name)
    return match[0].lower() if match else model


def _read_summary(folder: Path) -> RunSummary:
    file = folder / "summary.json"
    if not file.is_file():
        raise BadConfig(f"{str(folder)!r} is not finished: it holds no summary.json.")
    return RunSummary.model_validate_json(file.read_bytes())


def _read_csv(file: Path) -> ScoreTable:
    name = f"Scores {str(file)!r}"
    header, lines = read_csv(name, read_text(file, name))
    rows = [dict(zip(header, cells, strict=False)) for cells in lines]
    if not rows or "model" not in header:
        raise BadConfig(f"{name} need a header line with 'model' and at least one line below it.")
    columns: dict[str, dict[str, PercentScore]] = {
        field: {} for field in header if field not in {"model", "family", ""}
    }
    families: dict[str, str] = {}
    for number, row in enumerate(rows, start=1):
        model = row.get("model", "")
        if model in families:
            raise BadConfig(f"{name}, row {number} scores {model!r} again.")
        families[model] = row.get("family") or read_family(model)
        for field, scores in columns.items():
            if text := row.get(field):
                scores[model] = PercentScore(_read_percent(name, number, field, text), None)
    return ScoreTable(columns, families)


def _read_percent(name: str, row: int, column: str, text: str) -> float:
    """Read a percentage, also one that a spreadsheet wrote with a decimal comma or its sign."""
    percent = float(text.replace(",", ".").rstrip("% ")) if PERCENT.fullmatch(text) else -1.0
    if not 0 <= percent <= 100:
        raise BadConfig(f"{name}, row {row}, column {column!r}: {text!r} is not a percentage.")
    return percent
