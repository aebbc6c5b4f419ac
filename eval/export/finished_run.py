"""A finished run as other tools name it: a model, a benchmark, scores and when it began."""

import re
from collections.abc import Iterable
from datetime import datetime
from itertools import chain, count
from math import sqrt
from pathlib import Path
from typing import NamedTuple, Self

from eval.scoring.scoring import RunSummary, Score
from eval.store.records import RunRecord
from eval.store.run_folder import require_record
from services.errors import BadConfig


class MeasuredShare(NamedTuple):
    """A share of right answers, and its standard error."""

    value: float
    se: float


class FinishedRun(NamedTuple):
    """A run folder whose every item is finished."""

    folder: Path
    record: RunRecord
    summary: RunSummary

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read it; `BadConfig` where it is not finished."""
        record, file = require_record(folder), folder / "summary.json"
        if not file.is_file():
            raise BadConfig(f"{str(folder)!r} is not finished; the same command asks the rest.")
        return cls(folder, record, RunSummary.model_validate_json(file.read_bytes()))

    @property
    def model(self) -> str:
        """The models that took part, the one that answers first."""
        return "+".join(model.name for model in self.record.models) or self.record.options.path

    @property
    def benchmark(self) -> str:
        """Name of the benchmark."""
        return self.record.options.benchmark

    @property
    def began_at(self) -> datetime:
        """When it was begun."""
        return self.record.environments[0].started_at

    def measure(self, score: Score, *, is_official: bool = False) -> MeasuredShare | None:
        """Return an accuracy in [0, 1]; None where nothing could be scored.

        Its standard error is clustered where the run's is.
        """
        num = score.n - score.withheld - (score.official_dropped if is_official else 0)
        if num < 1:
            return None
        value = (score.correct_official if is_official else score.correct_strict) / num
        clustered = self.summary.clustered_se if score is self.summary and not is_official else None
        return MeasuredShare(value, clustered if clustered is not None else sqrt(value * (1 - value) / num))


def name_tasks(tasks: Iterable[str], *taken: str) -> dict[str, str]:
    """Return a name for each task that can be one of a file; no two are alike, and none is `taken`."""
    named: dict[str, str] = {}
    for task in tasks:
        plain = sanitise(task)
        tries = chain([plain], (f"{plain}-{number}" for number in count(2)))
        named[task] = next(one for one in tries if one not in named.values() and one not in taken)
    return named


def sanitise(name: str) -> str:
    """Return a name that can be one of a file or a task."""
    return re.sub(r"[^\w.-]+", "_", name)
