"""`eval reproduce`: the paper's tables beside our runs, its correlations recomputed, and where it is wrong.

Everything but the printed figures themselves is derived from published.json when the command runs.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from math import sqrt
from pathlib import Path
from typing import NamedTuple

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from eval.analysis.published import Sizes, akb_category_sizes, category_scores, paper_name, published
from eval.analysis.score_table import PercentScore, read_table
from eval.scoring.scoring import Z_95, Interval
from eval.scoring.statistics import correlate, pearson, selection_regret
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
    """What `eval reproduce --json` prints."""

    source: str
    correlations: tuple[RecomputedCorrelation, ...]
    categories: tuple[CategoryCorrelation, ...]
    akb_sizes: tuple[dict[str, int], ...]
    """Every choice of category sizes that fits the printed percentages; one, if they are determined."""
    regrets: tuple[ProxyRegret, ...]
    counterexamples: tuple[str, ...]
    """To the page's claim that Qwen backbones beat Llama backbones in all settings."""
    ours: tuple[PaperComparison, ...]
    unmatched: tuple[str, ...]
    """Scores of ours that the paper has no counterpart of."""


def reproduce(runs: Sequence[Path] = ()) -> Reproduction:
    """Recompute what the paper derives from its tables, and set our runs beside them."""
    sided = _beside_paper(runs)
    return Reproduction(
        source=published().source,
        correlations=tuple(_correlations()),
        categories=tuple(_categories()),
        akb_sizes=tuple(sizes._asdict() for sizes in akb_category_sizes()),
        regrets=tuple(_regret(proxy, target) for target in TARGETS for proxy in PROXIES),
        counterexamples=tuple(_counterexamples()),
        ours=sided.ours,
        unmatched=sided.unmatched,
    )


def _correlations() -> list[RecomputedCorrelation]:
    table = published().table()
    found = []
    for cell in published().printed_correlations:
        models = table.shared(cell.x, cell.y)
        r = correlate(table.values(cell.x, models), table.values(cell.y, models))
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


def _categories() -> list[CategoryCorrelation]:
    plotted, corrected = category_scores(as_plotted=True), category_scores(as_plotted=False)
    printed = published().printed_category_correlations
    return [
        CategoryCorrelation(
            name=name, printed=r, as_plotted=pearson(*plotted[name]), corrected=pearson(*corrected[name])
        )
        for name, r in printed.items()
    ]


def _regret(proxy: str, target: str) -> ProxyRegret:
    table = published().table()
    models = table.shared(proxy, target)
    x, y = table.values(proxy, models), table.values(target, models)
    return ProxyRegret(proxy=proxy, target=target, picked=models[x.index(max(x))], points=selection_regret(x, y))


def _counterexamples() -> list[str]:
    table = published().table()
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


def _beside_paper(runs: Sequence[Path]) -> _Sided:
    """Set each of our scores beside the paper's, where it has the model on that benchmark and path."""
    paper = published().table()
    found, unmatched = [], []
    for name, scores in read_table(runs).columns.items() if runs else ():
        benchmark, _, path = name.rpartition(":")
        column = BENCHMARKS.get(benchmark, "") + SUFFIX.get(path, "?") if path else name
        for model, ours in scores.items():
            theirs = paper.columns.get(column, {}).get(paper_name(model))
            if theirs is None:
                unmatched.append(f"{model} on {name}")
            else:
                found.append(_beside(paper_name(model), column, ours, theirs))
    return _Sided(tuple(found), tuple(unmatched))


def _beside(model: str, column: str, ours: PercentScore, theirs: PercentScore) -> PaperComparison:
    difference = ours.percent - theirs.percent
    half = Z_95 * sqrt(_variance(ours) + _variance(theirs)) if ours.n else None
    return PaperComparison(
        model=model,
        column=column,
        paper=theirs.percent,
        ours=ours.percent,
        difference=difference,
        ci_95=None if half is None else Interval(difference - half, difference + half),
    )


def _variance(scores: PercentScore) -> float:
    assert scores.n is not None
    return scores.percent * (100 - scores.percent) / scores.n


def print_reproduction(found: Reproduction, console: Console) -> None:
    """Print tables, recomputed correlations, sizes, regrets, and what is wrong."""
    data = published()
    console.print(found.source, highlight=False, soft_wrap=True)
    console.print(_leaderboard())
    console.print(_rows("AKB-2000 by category, %", {name: dict(row) for name, row in data.akb.items()}))
    console.print(_rows("Cascade with Gemini's captions, %", {name: dict(row) for name, row in data.cascade.items()}))
    console.print(
        _rows("Captioners, read by Gemini 2.5 Pro, %", {name: dict(row) for name, row in data.captioners.items()})
    )
    console.print(_heat_map(found.correlations))
    console.print(_figure_3(found.categories))
    for line in chain(_sizes(found), _regret_lines(found.regrets), _claim(found)):
        console.print(line, highlight=False, soft_wrap=True)
    if found.ours:
        console.print(_ours_table(found.ours))
        remark = "The paper's text scores rest on Gemini's captions and all items of a benchmark; do yours?"
        console.print(remark, highlight=False, soft_wrap=True)
    if found.unmatched:
        console.print(f"Not in the paper: {', '.join(found.unmatched)}.", highlight=False, soft_wrap=True)


def _leaderboard() -> Table:
    columns = published().table().columns
    models = list(columns["akb"])
    cells = {
        model: {COLUMNS[name]: column[model].percent for name, column in columns.items() if model in column}
        for model in models
    }
    audio_only = {
        name: {"MMAU audio": row.mmau, "MMAR audio": row.mmar} for name, row in published().audio_published.items()
    }
    return _rows("Leaderboard, %", cells | audio_only, headings=tuple(COLUMNS.values()))


def _rows(title: str, rows: Mapping[str, Mapping[str, float]], headings: Sequence[str] = ()) -> Table:
    headings = headings or list(next(iter(rows.values())))
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, collapse_padding=True)
    table.add_column("", no_wrap=True, min_width=18)
    for heading in headings:
        table.add_column(heading.replace("_", "\n").replace(" ", "\n"), justify="right", min_width=6)
    for name, row in rows.items():
        table.add_row(name, *(f"{row[heading]:.2f}" if heading in row else "-" for heading in headings))
    return table


def _heat_map(correlations: Sequence[RecomputedCorrelation]) -> Table:
    title = "Correlations, recomputed from the tables above (* printed wrong; LOO: leaving one out)"
    table = Table(title=title, title_justify="left", box=None, padding=(0, 1, 0, 0))
    for heading in ("pair", "n", "printed", "r, 95 %", "rho", "LOO", "p"):
        table.add_column(heading, justify="left" if heading == "pair" else "right", no_wrap=True)
    for one in correlations:
        table.add_row(
            f"{COLUMNS[one.x]} ~ {COLUMNS[one.y]}",
            str(one.n),
            f"{'* ' if one.is_wrong else ''}{one.printed:.2f}",
            f"{one.pearson:.3f} [{one.fisher_95.low:.2f}, {one.fisher_95.high:.2f}]",
            f"{one.spearman:.2f}",
            f"{one.leave_one_out.low:.2f}-{one.leave_one_out.high:.2f}",
            "<.001" if one.p < 0.001 else f"{one.p:.3f}",
        )
    return table


def _figure_3(categories: Sequence[CategoryCorrelation]) -> Table:
    shifted = " and ".join(published().figure_3_shifted.models)
    table = Table(title=f"Figure 3: cascade ~ fine-tuned; its values of {shifted} are shifted", title_justify="left")
    for heading in ("category", "printed", "as plotted", "corrected"):
        table.add_column(heading, justify="left" if heading == "category" else "right")
    for one in categories:
        table.add_row(one.name.replace("_", " "), *(f"{r:.2f}" for r in (one.printed, one.as_plotted, one.corrected)))
    return table


def _sizes(found: Reproduction) -> list[str]:
    lines = [", ".join(f"{name} {sizes[name]}" for name in Sizes._fields) for sizes in found.akb_sizes]
    return [
        f"AKB-2000 category sizes that reproduce every printed percentage and average ({len(lines)} solution"
        f"{'' if len(lines) == 1 else 's'}): {'; '.join(lines)}."
    ]


def _regret_lines(regrets: Sequence[ProxyRegret]) -> list[str]:
    return [
        f"Picking by {COLUMNS[one.proxy]} ({one.picked}) loses {one.points:.1f} points on {COLUMNS[one.target]}."
        for one in regrets
    ]


def _claim(found: Reproduction) -> list[str]:
    return (
        [f'"Qwen beats Llama in all settings" is false: {"; ".join(found.counterexamples)}.']
        if found.counterexamples
        else []
    )


def _ours_table(ours: Sequence[PaperComparison]) -> Table:
    table = Table(title="Ours beside the paper's, strict score, %", title_justify="left")
    for heading in ("LLM", "score", "paper", "ours", "difference, 95 %"):
        table.add_column(heading, justify="left" if heading in {"LLM", "score"} else "right")
    for one in ours:
        between = f" [{one.ci_95.low:+.1f}, {one.ci_95.high:+.1f}]" if one.ci_95 else ""
        interval = f"{one.difference:+.1f}{between}"
        table.add_row(one.model, COLUMNS[one.column], f"{one.paper:.1f}", f"{one.ours:.1f}", interval)
    return table
