"""`earwitness eval reproduce`: the paper's tables beside our runs, its correlations recomputed, and its errors.

Everything but the printed figures themselves is derived from published.json when the command runs.
"""

from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from eval.analysis.claims import ScoreConflict, find_contradictions
from eval.analysis.published import compute_category_scores, find_akb_category_sizes, find_paper_name, load_published
from eval.analysis.score_table import PercentScore, read_table
from eval.scoring.intervals import Z_95, Interval
from eval.scoring.statistics import compute_pearson, compute_selection_regret, correlate
from services.types import Value

COLUMNS = {
    "akb": "AKB-2000",
    "mmau_t": "MMAU text",
    "mmar_t": "MMAR text",
    "mmau_a": "MMAU audio",
    "mmar_a": "MMAR audio",
}
PROXIES, TARGETS = ("akb", "mmau_t", "mmar_t"), ("mmau_a", "mmar_a")
BENCHMARKS = {"akb": "akb", "mmau": "mmau", "mmau-test-mini": "mmau", "mmar": "mmar", "MMAR-meta": "mmar"}
SUFFIX = {"text": "", "cascade": "_t", "lalm": "_a"}  # of a column, by path; AKB is read, the others are heard


class RecomputedCorrelation(Value):
    """A correlation of the paper's heat-map."""

    x: str
    y: str
    n: int
    printed: float
    pearson: float
    fisher_95: Interval
    spearman: float
    leave_one_out: Interval
    p: float
    is_wrong: bool
    """Whether the printed value is not ours, rounded to two decimals."""


class CategoryCorrelation(Value):
    """A correlation of figure 3: cascade against fine-tuned model, within one category."""

    name: str
    printed: float
    as_plotted: float
    """With the values that the figure shows."""
    corrected: float
    """With those of the paper's own table."""


class ProxyRegret(Value):
    """Points lost on `target` by picking the best backbone by `proxy`."""

    proxy: str
    target: str
    picked: str
    points: float


class PaperComparison(Value):
    """One of our scores beside the paper's."""

    model: str
    column: str
    paper: float
    ours: float
    difference: float
    """Ours less the paper's, in points."""
    ci_95: Interval | None
    """Of the difference, unpaired: the paper released no predictions. None for a .csv, which says no n."""


class Reproduction(Value):
    """What `earwitness eval reproduce --json` prints."""

    source: str
    correlations: tuple[RecomputedCorrelation, ...]
    categories: tuple[CategoryCorrelation, ...]
    akb_sizes: tuple[dict[str, int], ...]
    """Every choice of category sizes that fits the printed percentages; one, if they are determined."""
    regrets: tuple[ProxyRegret, ...]
    counterexamples: tuple[str, ...]
    """To the page's claim that Qwen backbones beat Llama backbones in all settings."""
    contradictions: tuple[ScoreConflict, ...]
    """Scores that are published more than once with different values."""
    ours: tuple[PaperComparison, ...]
    unmatched: tuple[str, ...]
    """Scores of ours that the paper has no counterpart of."""


def reproduce(runs: Sequence[Path] = ()) -> Reproduction:
    """Recompute what the paper derives from its tables, and set our runs beside them."""
    sided = _compare_with_paper(runs)
    return Reproduction(
        source=load_published().source,
        correlations=tuple(_recompute_correlations()),
        categories=tuple(_compare_categories()),
        akb_sizes=tuple(sizes._asdict() for sizes in find_akb_category_sizes()),
        regrets=tuple(_compute_regret(proxy, target) for target in TARGETS for proxy in PROXIES),
        counterexamples=tuple(_find_counterexamples()),
        contradictions=find_contradictions(),
        ours=sided.ours,
        unmatched=sided.unmatched,
    )


def _recompute_correlations() -> list[RecomputedCorrelation]:
    table = load_published().make_table()
    found = []
    for cell in load_published().printed_correlations:
        models = table.list_shared(cell.x, cell.y)
        r = correlate(table.get_values(cell.x, models), table.get_values(cell.y, models))
        assert r.ci_95 is not None and r.leave_one_out is not None, cell
        found.append(
            RecomputedCorrelation(
                x=cell.x,
                y=cell.y,
                n=r.n,
                printed=cell.r,
                pearson=r.pearson,
                fisher_95=r.ci_95,
                spearman=r.spearman,
                leave_one_out=r.leave_one_out,
                p=r.p,
                is_wrong=abs(r.pearson - cell.r) > 0.0051,  # rounding, and that of the scores it was computed from
            )
        )
    return found


def _compare_categories() -> list[CategoryCorrelation]:
    plotted, corrected = compute_category_scores(as_plotted=True), compute_category_scores(as_plotted=False)
    printed = load_published().printed_category_correlations
    return [
        CategoryCorrelation(
            name=name,
            printed=r,
            as_plotted=compute_pearson(*plotted[name]),
            corrected=compute_pearson(*corrected[name]),
        )
        for name, r in printed.items()
    ]


def _compute_regret(proxy: str, target: str) -> ProxyRegret:
    table = load_published().make_table()
    models = table.list_shared(proxy, target)
    x, y = table.get_values(proxy, models), table.get_values(target, models)
    return ProxyRegret(
        proxy=proxy, target=target, picked=models[x.index(max(x))], points=compute_selection_regret(x, y)
    )


def _find_counterexamples() -> list[str]:
    table = load_published().make_table()
    return [
        f"{COLUMNS[column]}: {llama} {scores[llama].percent} > {qwen} {scores[qwen].percent}"
        for column, scores in table.columns.items()
        for llama in scores
        for qwen in scores
        if (table.families[llama], table.families[qwen]) == ("llama", "qwen")
        and scores[llama].percent > scores[qwen].percent
    ]


class _Sided(NamedTuple):
    ours: tuple[PaperComparison, ...]
    unmatched: tuple[str, ...]


def _compare_with_paper(runs: Sequence[Path]) -> _Sided:
    """Set each of our scores beside the paper's, where it has the model on that benchmark and path."""
    paper = load_published().make_table()
    found, unmatched = [], []
    for name, scores in read_table(runs).columns.items() if runs else ():
        benchmark, _, path = name.rpartition(":")
        column = BENCHMARKS.get(benchmark, "") + SUFFIX.get(path, "?") if path else name
        for model, ours in scores.items():
            theirs = paper.columns.get(column, {}).get(find_paper_name(model))
            if theirs is None:
                unmatched.append(f"{model} on {name}")
            else:
                found.append(_compare(find_paper_name(model), column, ours, theirs))
    return _Sided(tuple(found), tuple(unmatched))


def _compare(model: str, column: str, ours: PercentScore, theirs: PercentScore) -> PaperComparison:
    difference = ours.percent - theirs.percent
    half = Z_95 * sqrt(_estimate_variance(ours) + _estimate_variance(theirs)) if ours.n else None
    return PaperComparison(
        model=model,
        column=column,
        paper=theirs.percent,
        ours=ours.percent,
        difference=difference,
        ci_95=None if half is None else Interval(difference - half, difference + half),
    )


def _estimate_variance(scores: PercentScore) -> float:
    assert scores.n is not None
    return scores.percent * (100 - scores.percent) / scores.n
