"""Published scores that contradict each other: one model, one benchmark, several values, each with its source.

`claims.yaml` holds what others publish; the paper's own values of audio models stand beside them. Two values contradict
each other where they lie further apart than asking other questions of the same kind would explain.
"""

from collections import defaultdict
from math import sqrt
from pathlib import Path

from eval.analysis.published import load_published
from eval.scoring.intervals import Z_95
from services.types import Value
from services.yaml_file import read_config

FILE = Path(__file__).with_name("claims.yaml")
NUM_QUESTIONS = 1_000  # of MMAU test-mini, and of MMAR
PAPER_BENCHMARKS = {"mmau": "MMAU test-mini", "mmar": "MMAR"}


class ScoreClaim(Value):
    """One published score."""

    model: str
    benchmark: str
    release: str = ""
    """Of the benchmark; empty: the source does not say."""
    percent: float
    note: str = ""
    """Who asked, and how."""
    source: str | None = None
    """File and commit, issue or paper; None: the value is quoted, and its source is not known to us."""


class Claims(Value):
    """Published scores."""

    claims: tuple[ScoreClaim, ...]


class ScoreConflict(Value):
    """Values of one model on one benchmark that differ."""

    model: str
    benchmark: str
    points: float
    """Between the lowest and the highest."""
    points_one_release: float
    """The same among those of one release, or of none that is named; 0 where there is one of each."""
    by_chance: float
    """Points that two draws of 1,000 questions differ by in 95 % of cases (two-sided, binomial)."""
    claims: tuple[ScoreClaim, ...]
    """The highest first."""

    @property
    def num_unsourced(self) -> int:
        """Values whose source is not known to us."""
        return sum(one.source is None for one in self.claims)

    @property
    def is_within_chance(self) -> bool:
        """Whether other questions of the same kind could explain it."""
        return self.points <= self.by_chance


def find_contradictions() -> tuple[ScoreConflict, ...]:
    """Return what is published more than once with different values, the widest first."""
    by_model: defaultdict[tuple[str, str], list[ScoreClaim]] = defaultdict(list)
    for claim in (*_list_paper(), *read_config(FILE, Claims).claims):
        by_model[claim.model, claim.benchmark].append(claim)
    found = [_compare(claims) for claims in by_model.values() if len({one.percent for one in claims}) > 1]
    return tuple(sorted(found, key=lambda one: -one.points))


def _list_paper() -> list[ScoreClaim]:
    paper = load_published()
    return [
        ScoreClaim(model=model, benchmark=name, percent=getattr(row, key), source=paper.source.partition(":")[0])
        for model, row in paper.audio_published.items()
        for key, name in PAPER_BENCHMARKS.items()
    ]


def _compare(claims: list[ScoreClaim]) -> ScoreConflict:
    ordered = sorted(claims, key=lambda one: -one.percent)
    highest, lowest = ordered[0].percent, ordered[-1].percent
    variance = sum(share * (100 - share) for share in (highest, lowest)) / NUM_QUESTIONS
    releases: defaultdict[str, list[float]] = defaultdict(list)
    for one in claims:
        releases[one.release].append(one.percent)
    return ScoreConflict(
        model=ordered[0].model,
        benchmark=ordered[0].benchmark,
        points=round(highest - lowest, 2),
        points_one_release=round(max(max(same) - min(same) for same in releases.values()), 2),
        by_chance=round(Z_95 * sqrt(variance), 2),
        claims=tuple(ordered),
    )
