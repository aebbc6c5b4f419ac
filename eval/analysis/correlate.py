"""`earwitness eval correlate`: how well a cheap score predicts an expensive one (Pearson, Spearman, selection regret).

Each pair of columns is correlated over the models that have both. A correlation over eight models says little:
the interval, what remains without one model or one family, and the points lost by picking the best are the point.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from math import isnan

from eval.analysis.score_table import ScoreTable
from eval.scoring.intervals import Interval, compute_wilson_interval
from eval.scoring.statistics import (
    MIN_FOR_INTERVAL,
    apply_holm_correction,
    bootstrap_correlation,
    compute_pearson,
    compute_selection_regret,
    correlate,
    correlate_given,
)
from services.errors import BadConfig
from services.types import Value

MIN_MODELS = 3


class ColumnCorrelation(Value):
    """Correlation of two columns of scores."""

    x: str
    y: str
    n: int
    pearson: float | None
    """None where one of the columns is constant."""
    fisher_95: Interval | None
    """None for fewer than four models."""
    bootstrap_95: Interval | None
    """Over models, and over the questions of each score whose number is known; None for fewer than four models."""
    p: float | None
    p_holm: float | None
    """Adjusted over all pairs that were tested."""
    spearman: float | None
    leave_one_out: Interval | None
    """Lowest and highest correlation without one of the models."""
    leave_one_family_out: dict[str, float | None]
    """Family -> correlation without it; None where fewer than three models remain."""
    regret: float
    """Points of y lost by picking the best model by x."""
    regret_top_2: float
    """The same where the better by y of the best two by x is picked."""
    control: str | None = None
    """Third column that was held constant."""
    partial_n: int = 0
    """Models that have all three."""
    partial_pearson: float | None = None
    """None without a control, for fewer than four models, or where the control explains all of one column."""
    partial_p: float | None = None
    partial_spearman: float | None = None


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
    """What `earwitness eval correlate --json` prints."""

    scores: tuple[ModelScore, ...]
    """What is correlated, by model."""
    pairs: tuple[ColumnCorrelation, ...]
    num_too_few: int
    """Pairs of columns that fewer than three models share: not correlated."""


def correlate_all(
    table: ScoreTable, x: str | None = None, y: str | None = None, *, control: str | None = None
) -> CorrelationReport:
    """Correlate x with y; left out, every column stands for it. Pairs with fewer than three models are counted only.

    `control` is a column such as MMLU's, which is held constant in a partial correlation beside the plain one.

    Raises `BadConfig` where x or y is not a column, or there is nothing to pair it with beside the control.
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
    if control is not None:
        table.get_column(control)
        asked = [pair for pair in asked if control not in pair]
        if not asked:
            raise BadConfig(
                f"{control!r} is to be held constant, and no two other scores are left to correlate; here are: "
                f"{', '.join(table.columns)}."
            )
    pairs = [_pair(table, a, b, control) for a, b in asked if len(table.list_shared(a, b)) >= MIN_MODELS]
    known = [pair for pair in pairs if pair.p is not None]
    adjusted = dict(
        zip(map(id, known), apply_holm_correction([pair.p for pair in known if pair.p is not None]), strict=True)
    )
    pairs = [pair.model_copy(update={"p_holm": adjusted.get(id(pair))}) for pair in pairs]
    return CorrelationReport(scores=tuple(_list_scores(table)), pairs=tuple(pairs), num_too_few=len(asked) - len(pairs))


def _list_scores(table: ScoreTable) -> Iterator[ModelScore]:
    for model, its_family in table.families.items():
        for name, column in table.columns.items():
            if model in column:
                percent, n, _ = column[model]
                interval = compute_wilson_interval(round(percent * n / 100), n) if n else None
                yield ModelScore(model=model, family=its_family, column=name, percent=percent, n=n, wilson_95=interval)


def _pair(table: ScoreTable, x: str, y: str, control: str | None) -> ColumnCorrelation:
    models = table.list_shared(x, y)
    values_x, values_y = table.get_values(x, models), table.get_values(y, models)
    found = correlate(values_x, values_y)
    sizes = tuple([table.get_column(name)[model].n for model in models] for name in (x, y))
    return ColumnCorrelation(
        x=x,
        y=y,
        n=found.n,
        pearson=_parse_number(found.pearson),
        fisher_95=found.ci_95,
        bootstrap_95=bootstrap_correlation(values_x, values_y, (sizes[0], sizes[1])),
        p=_parse_number(found.p),
        p_holm=None,
        spearman=_parse_number(found.spearman),
        leave_one_out=found.leave_one_out,
        leave_one_family_out=_leave_families_out(table, x, y, models),
        regret=compute_selection_regret(values_x, values_y),
        regret_top_2=compute_selection_regret(values_x, values_y, top=2),
    ).model_copy(update=_hold_constant(table, x, y, control))


def _hold_constant(table: ScoreTable, x: str, y: str, control: str | None) -> dict[str, object]:
    """Return the fields of the partial correlation; none without a control."""
    if control is None:
        return {}
    models = [model for model in table.list_shared(x, y) if model in table.get_column(control)]
    if len(models) < MIN_FOR_INTERVAL:
        return {"control": control, "partial_n": len(models)}
    found = correlate_given(*(table.get_values(name, models) for name in (x, y, control)))
    return {
        "control": control,
        "partial_n": found.n,
        "partial_pearson": _parse_number(found.pearson),
        "partial_p": _parse_number(found.p),
        "partial_spearman": _parse_number(found.spearman),
    }


def _leave_families_out(table: ScoreTable, x: str, y: str, models: Sequence[str]) -> dict[str, float | None]:
    without = {}
    for family in sorted({table.families[model] for model in models}):
        left = [model for model in models if table.families[model] != family]
        r = (
            compute_pearson(table.get_values(x, left), table.get_values(y, left))
            if len(left) >= MIN_MODELS
            else float("nan")
        )
        without[family] = _parse_number(r)
    return without


def _parse_number(value: float) -> float | None:
    return None if isnan(value) else value
