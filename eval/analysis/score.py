"""`earwitness eval score`: score any prediction file by the official matcher and by strict reading of replies."""

from collections import defaultdict
from pathlib import Path

from eval.benchmarks import BENCHMARKS
from eval.benchmarks.fields import FieldNames
from eval.benchmarks.tables import is_table
from eval.scoring.rule_scores import RuleScores, score_rules
from eval.scoring.scoring import Verdict
from eval.store.stored import open_stored
from services.catalog import pick
from services.errors import BadConfig
from services.types import Value


class Counts(Value):
    """What a scorer counts; unread and failed rows are wrong, and in `n`."""

    n: int
    correct_official: int
    correct_strict: int
    unread: int
    """Replies in which no option could be read."""
    failed: int
    """Rows without a reply."""
    official_dropped: int = 0
    """Rows that the official script leaves out of its denominator."""


class FileScore(Counts):
    """What `earwitness eval score --json` prints."""

    key: str
    """What the file calls a prediction."""
    by_task: dict[str, Counts]
    unscored: tuple[str, ...] = ()
    """Why rows cannot be scored here: they count as failed."""
    rules: RuleScores | None = None
    """Of replies that rules score; None where none does."""


def score_file(path: Path, bench: str, key: str | None = None, fields: FieldNames | None = None) -> FileScore:
    """Score a prediction file or a run folder; `BadConfig` names file, row and field of what cannot be used."""
    if is_table(bench):
        raise BadConfig(
            f"--bench {bench!r} is a file; eval score takes the name of a benchmark, by whose script it scores, and "
            "reads questions and answers from the predictions themselves."
        )
    pick(BENCHMARKS, "benchmark", bench)
    stored = open_stored(path, key, bench, fields)
    if any(verdict.withheld for verdict in stored.verdicts):
        raise BadConfig(f"{stored.name!r} cannot be scored here: its answers are withheld.")
    groups: defaultdict[str, list[Verdict]] = defaultdict(list)
    for verdict in stored.verdicts:
        groups[verdict.task].append(verdict)
    by_task = {task: Counts(**_count(groups[task])) for task in sorted(groups) if task}
    ruled = [(one.outcome, one.cluster or one.id) for one in stored.verdicts if one.outcome]
    return FileScore(
        **_count(stored.verdicts),
        key=stored.key,
        by_task=by_task,
        unscored=stored.unscored,
        rules=score_rules(ruled),
    )


def _count(verdicts: list[Verdict]) -> dict[str, int]:
    return {
        "n": len(verdicts),
        "correct_official": sum(verdict.correct_official for verdict in verdicts),
        "correct_strict": sum(verdict.correct_strict for verdict in verdicts),
        "unread": sum(verdict.unread for verdict in verdicts),
        "failed": sum(verdict.failed for verdict in verdicts),
        "official_dropped": sum(verdict.official_dropped for verdict in verdicts),
    }
