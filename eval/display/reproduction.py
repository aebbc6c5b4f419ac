"""The paper's tables in the terminal: its figures, the correlations recomputed from them, and our runs beside them."""

from collections.abc import Mapping, Sequence
from itertools import chain

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from eval.analysis.claims import ScoreConflict
from eval.analysis.published import Sizes, load_published
from eval.analysis.reproduce import (
    COLUMNS,
    CategoryCorrelation,
    PaperComparison,
    ProxyRegret,
    RecomputedCorrelation,
    Reproduction,
)
from eval.display.tables import print_table

SOURCE_UNKNOWN = "its source is not known to us"


def print_reproduction(found: Reproduction, console: Console) -> None:
    """Print tables, recomputed correlations, sizes, regrets, and what is wrong."""
    data = load_published()
    console.print(found.source, highlight=False, soft_wrap=True)
    print_table(_build_leaderboard(), console)
    print_table(_format_rows("AKB-2000 by category, %", {name: dict(row) for name, row in data.akb.items()}), console)
    print_table(
        _format_rows("Cascade with Gemini's captions, %", {name: dict(row) for name, row in data.cascade.items()}),
        console,
    )
    print_table(
        _format_rows(
            "Captioners, read by Gemini 2.5 Pro, %", {name: dict(row) for name, row in data.captioners.items()}
        ),
        console,
    )
    print_table(_build_heat_map(found.correlations), console)
    print_table(_build_figure_3(found.categories), console)
    for line in chain(_build_sizes(found), _format_regrets(found.regrets), _format_claim(found)):
        console.print(line, highlight=False, soft_wrap=True)
    print_table(_build_contradictions(found.contradictions), console)
    if found.ours:
        print_table(_build_ours(found.ours), console)
        remark = "The paper's text scores rest on Gemini's captions and all items of a benchmark; do yours?"
        console.print(remark, highlight=False, soft_wrap=True)
    if found.unmatched:
        console.print(f"Not in the paper: {', '.join(found.unmatched)}.", highlight=False, soft_wrap=True)


def _build_leaderboard() -> Table:
    columns = load_published().make_table().columns
    models = list(columns["akb"])
    cells = {
        model: {COLUMNS[name]: column[model].percent for name, column in columns.items() if model in column}
        for model in models
    }
    audio_only = {
        name: {"MMAU audio": row.mmau, "MMAR audio": row.mmar} for name, row in load_published().audio_published.items()
    }
    return _format_rows("Leaderboard, %", cells | audio_only, headings=tuple(COLUMNS.values()))


def _format_rows(title: str, rows: Mapping[str, Mapping[str, float]], headings: Sequence[str] = ()) -> Table:
    headings = headings or list(next(iter(rows.values())))
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, collapse_padding=True)
    table.add_column("", no_wrap=True, min_width=18)
    for heading in headings:
        table.add_column(heading.replace("_", "\n").replace(" ", "\n"), justify="right", min_width=6)
    for name, row in rows.items():
        table.add_row(name, *(f"{row[heading]:.2f}" if heading in row else "-" for heading in headings))
    return table


def _build_heat_map(correlations: Sequence[RecomputedCorrelation]) -> Table:
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


def _build_figure_3(categories: Sequence[CategoryCorrelation]) -> Table:
    shifted = " and ".join(load_published().figure_3_shifted.models)
    table = Table(title=f"Figure 3: cascade ~ fine-tuned; its values of {shifted} are shifted", title_justify="left")
    for heading in ("category", "printed", "as plotted", "corrected"):
        table.add_column(heading, justify="left" if heading == "category" else "right")
    for one in categories:
        table.add_row(one.name.replace("_", " "), *(f"{r:.2f}" for r in (one.printed, one.as_plotted, one.corrected)))
    return table


def _build_sizes(found: Reproduction) -> list[str]:
    lines = [", ".join(f"{name} {sizes[name]}" for name in Sizes._fields) for sizes in found.akb_sizes]
    return [
        f"AKB-2000 category sizes that reproduce every printed percentage and average ({len(lines)} solution"
        f"{'' if len(lines) == 1 else 's'}): {'; '.join(lines)}."
    ]


def _format_regrets(regrets: Sequence[ProxyRegret]) -> list[str]:
    return [
        f"Picking by {COLUMNS[one.proxy]} ({one.picked}) loses {one.points:.1f} points on {COLUMNS[one.target]}."
        for one in regrets
    ]


def _format_claim(found: Reproduction) -> list[str]:
    return (
        [f'"Qwen beats Llama in all settings" is false: {"; ".join(found.counterexamples)}.']
        if found.counterexamples
        else []
    )


def _build_contradictions(found: Sequence[ScoreConflict]) -> Table:
    table = Table(title="Published more than once, with different values", title_justify="left")
    for heading in ("model, benchmark", "%", "who, where"):
        table.add_column(heading, justify="right" if heading == "%" else "left", overflow="fold")
    for one in found:
        chance = "within" if one.is_within_chance else "beyond"
        apart = f"{one.model}, {one.benchmark}: {one.points:.1f} points, {chance} the {one.by_chance:.1f} of chance"
        if one.num_unsourced:
            apart += f"; {one.num_unsourced} of the {len(one.claims)} values without a known source"
        for place, claim in enumerate(one.claims):
            who = "; ".join(part for part in (claim.release, claim.note, claim.source or SOURCE_UNKNOWN) if part)
            table.add_row("" if place else apart, f"{claim.percent:.1f}", who)
        table.add_section()
    return table


def _build_ours(ours: Sequence[PaperComparison]) -> Table:
    table = Table(title="Ours beside the paper's, strict score, %", title_justify="left")
    for heading in ("LLM", "score", "paper", "ours", "difference, 95 %"):
        table.add_column(heading, justify="left" if heading in {"LLM", "score"} else "right")
    for one in ours:
        between = f" [{one.ci_95.low:+.1f}, {one.ci_95.high:+.1f}]" if one.ci_95 else ""
        interval = f"{one.difference:+.1f}{between}"
        table.add_row(one.model, COLUMNS[one.column], f"{one.paper:.1f}", f"{one.ours:.1f}", interval)
    return table
