"""`eval correlate`: does a cheap score foretell an expensive one, and what is lost by trusting it.

Each pair of columns is correlated over the models that have both. A correlation over eight models says little:
the interval, what remains without one model or one family, and the points lost by picking the best are the point.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from math import isnan

from rich.console import Console
from rich.table import Table

from eval.analysis.score_table import ScoreTable
from eval.scoring.scoring import Interval, wilson_95
from eval.scoring.statistics import correlate, pearson, selection_regret
from services.errors import BadConfig
from services.types import Value

MIN_MODELS = 3


class ColumnCorrelation(Value):
    """How two columns go together."""

    x: str
    y: str
    n: int
    pearson: float | None
    """None where one of the columns is constant."""
    fisher_95: Interval | None
    """None for fewer than four models."""
    p: float | None
    spearman: float | None
    leave_one_out: Interval | None
    """Lowest and highest correlation without one of the models."""
    leave_one_family_out: dict[str, float | None]
    """Family -> correlation without it; None where fewer than three models remain."""
    regret: float
    """Points of y lost by picking the best model by x."""
    regret_top_2: float
    """The same where the better by y of the best two by x is picked."""


class ModelScore(Value):
    """One model's accuracy in one column."""

    model: str
    family: str
    column: str
    percent: float
    n: int | None
    """Items behind it; None where only the percentage is known."""
    wilson_95: Interval | None
    """In [0, 1]; None where the items are not known."""


class CorrelationReport(Value):
    """What `eval correlate --json` prints."""

    scores: tuple[ModelScore, ...]
    """What is correlated, by model."""
    pairs: tuple[ColumnCorrelation, ...]
    num_too_few: int
    """Pairs of columns that fewer than three models share: not correlated."""


def correlate_all(table: ScoreTable, x: str | None = None, y: str | None = None) -> CorrelationReport:
    """Correlate x with y; left out, every column stands for it. Pairs with fewer than three models are counted only.

    Raises `BadConfig` where x or y is no column, or there is nothing to pair it with.
    """
    if x is not None and y is not None:
        wanted: Iterable[tuple[str, str]] = [(x, y)]
    elif x is not None:
        wanted = [(x, other) for other in table.columns if other != x]
    elif y is not None:
        wanted = [(other, y) for other in table.columns if other != y]
    else:
        wanted = combinations(table.columns, 2)
    asked = list(wanted)
    if not asked:
        raise BadConfig(f"A correlation needs two columns of scores; here are: {', '.join(table.columns)}.")
    pairs = [_pair(table, a, b) for a, b in asked if len(table.shared(a, b)) >= MIN_MODELS]
    return CorrelationReport(scores=tuple(_scores(table)), pairs=tuple(pairs), num_too_few=len(asked) - len(pairs))


def _scores(table: ScoreTable) -> Iterator[ModelScore]:
    for model, its_family in table.families.items():
        for name, column in table.columns.items():
            if model in column:
                percent, n = column[model]
                interval = wilson_95(round(percent * n / 100), n) if n else None
                yield ModelScore(model=model, family=its_family, column=name, percent=percent, n=n, wilson_95=interval)


def _pair(table: ScoreTable, x: str, y: str) -> ColumnCorrelation:
    models = table.shared(x, y)
    values_x, values_y = table.values(x, models), table.values(y, models)
    found = correlate(values_x, values_y)
    return ColumnCorrelation(
        x=x,
        y=y,
        n=found.n,
        pearson=_number(found.pearson),
        fisher_95=found.ci_95,
        p=_number(found.p),
        spearman=_number(found.spearman),
        leave_one_out=found.leave_one_out,
        leave_one_family_out=_without_families(table, x, y, models),
        regret=selection_regret(values_x, values_y),
        regret_top_2=selection_regret(values_x, values_y, top=2),
    )


def _without_families(table: ScoreTable, x: str, y: str, models: Sequence[str]) -> dict[str, float | None]:
    without = {}
    for family in sorted({table.families[model] for model in models}):
        left = [model for model in models if table.families[model] != family]
        r = pearson(table.values(x, left), table.values(y, left)) if len(left) >= MIN_MODELS else float("nan")
        without[family] = _number(r)
    return without


def _number(value: float) -> float | None:
    return None if isnan(value) else value


def print_pairs(found: CorrelationReport, console: Console) -> None:
    """Print the scores, then each pair with its uncertainty and what trusting it costs."""
    console.print(_table(found.scores))
    if not found.pairs:
        console.print(f"No correlation: it needs {MIN_MODELS} models that have both scores, better 8.", highlight=False)
        return
    for pair in found.pairs:
        console.print(f"{pair.x} ~ {pair.y} ({pair.n} models)", style="bold", highlight=False)
        for line in (_association(pair), _robustness(pair), _cost(pair)):
            console.print(f"  {line}", highlight=False, soft_wrap=True)
    too_few = f" {found.num_too_few} pairs share fewer than three models and are left out." if found.num_too_few else ""
    remark = f"{len(found.pairs)} pairs were tested, and no p is corrected for that.{too_few}"
    console.print(remark, highlight=False, soft_wrap=True)


def _table(scores: Sequence[ModelScore]) -> Table:
    """Return a row per model, a column per score, in percent with the interval where it is known."""
    columns = list(dict.fromkeys(score.column for score in scores))
    shown = Table("model", "family", *columns)
    for model, its_family in dict.fromkeys((score.model, score.family) for score in scores):
        own = {score.column: _cell(score) for score in scores if score.model == model}
        shown.add_row(model, its_family, *(own.get(column, "-") for column in columns))
    return shown


def _cell(score: ModelScore) -> str:
    between = f" [{100 * score.wilson_95.low:.1f}, {100 * score.wilson_95.high:.1f}]" if score.wilson_95 else ""
    return f"{score.percent:.1f}{between}"


def _association(pair: ColumnCorrelation) -> str:
    if pair.pearson is None or pair.spearman is None:
        return "no correlation: all models have the same score"
    interval = _range(pair.fisher_95) if pair.fisher_95 else "no interval for fewer than four models"
    return f"Pearson r {pair.pearson:.3f} [{interval}], p = {pair.p:.3g}; Spearman rho {pair.spearman:.2f}"


def _robustness(pair: ColumnCorrelation) -> str:
    families = [f"{name} {r:.2f}" for name, r in pair.leave_one_family_out.items() if r is not None]
    without_one = _range(pair.leave_one_out) if pair.leave_one_out else "-"
    return f"r without one model: {without_one}; without a family: {', '.join(families) or '-'}"


def _cost(pair: ColumnCorrelation) -> str:
    return (
        f"picking the best by {pair.x} loses {pair.regret:.1f} points of {pair.y}, "
        f"trying the best two {pair.regret_top_2:.1f}"
    )


def _range(between: Interval) -> str:
    return f"{between.low:.2f} to {between.high:.2f}"
