"""Tables of correlations between scores: Pearson, Spearman, their intervals, and the regret of selecting by a score."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from eval.analysis.correlate import MIN_MODELS, ColumnCorrelation, CorrelationReport, ModelScore
from eval.display.tables import print_table
from eval.scoring.intervals import Interval
from services.terminal.counts import format_count

NO_INTERVAL = "no interval for fewer than four models, or for a perfect line"


def print_correlations(found: CorrelationReport, console: Console) -> None:
    """Print the scores, then each pair with its uncertainty and what trusting it costs."""
    print_table(_build_table(found.scores), console)
    if not found.pairs:
        console.print(f"No correlation: it needs {MIN_MODELS} models that have both scores, better 8.", highlight=False)
        return
    for pair in found.pairs:
        console.print(f"{pair.x} ~ {pair.y} ({format_count(pair.n, 'model')})", style="bold", highlight=False)
        lines = (_format_association(pair), _format_partial(pair), _format_robustness(pair), _format_cost(pair))
        for line in filter(None, lines):
            console.print(f"  {line}", highlight=False, soft_wrap=True)
    too_few = (
        ""
        if not found.num_too_few
        else f" Left out: {format_count(found.num_too_few, 'pair')} with fewer than three models."
    )
    corrected = ""
    if len(found.pairs) > 1:
        corrected = f"{len(found.pairs)} pairs were tested: p (Holm) is corrected for that."
    remark = f"{corrected}{too_few}".strip()
    if not remark:
        return
    console.print(remark, highlight=False, soft_wrap=True)


def _build_table(scores: Sequence[ModelScore]) -> Table:
    """Return a row per model, a column per score, in percent with the interval where it is known."""
    columns = list(dict.fromkeys(score.column for score in scores))
    shown = Table("model", "family", *columns)
    for model, its_family in dict.fromkeys((score.model, score.family) for score in scores):
        own = {score.column: _format_cell(score) for score in scores if score.model == model}
        shown.add_row(model, its_family, *(own.get(column, "-") for column in columns))
    return shown


def _format_cell(score: ModelScore) -> str:
    between = f" [{100 * score.wilson_95.low:.1f}, {100 * score.wilson_95.high:.1f}]" if score.wilson_95 else ""
    return f"{score.percent:.1f}{between}"


def _format_association(pair: ColumnCorrelation) -> str:
    if pair.pearson is None or pair.spearman is None:
        return "no correlation: all models have the same score"
    interval = _format_range(pair.fisher_95) if pair.fisher_95 else NO_INTERVAL
    drawn = f", bootstrap {_format_range(pair.bootstrap_95)}" if pair.bootstrap_95 else ""
    holm = f" (Holm {pair.p_holm:.3g})" if pair.p_holm is not None and pair.p_holm != pair.p else ""
    return f"Pearson r {pair.pearson:.3f} [{interval}{drawn}], p = {pair.p:.3g}{holm}; Spearman rho {pair.spearman:.2f}"


def _format_partial(pair: ColumnCorrelation) -> str:
    if pair.control is None:
        return ""
    if pair.partial_pearson is None:
        return f"with {pair.control} held constant: no correlation, from {pair.partial_n} models that have all three"
    rho = (
        "none, as the control ranks the models alike"
        if pair.partial_spearman is None
        else f"{pair.partial_spearman:.2f}"
    )
    return (
        f"with {pair.control} held constant ({pair.partial_n} models): r {pair.partial_pearson:.3f}, "
        f"p = {pair.partial_p:.3g}; Spearman rho {rho}"
    )


def _format_robustness(pair: ColumnCorrelation) -> str:
    families = [f"{name} {r:.2f}" for name, r in pair.leave_one_family_out.items() if r is not None]
    without_one = _format_range(pair.leave_one_out) if pair.leave_one_out else "-"
    return f"r without one model: {without_one}; without a family: {', '.join(families) or '-'}"


def _format_cost(pair: ColumnCorrelation) -> str:
    return (
        f"picking the best by {pair.x} loses {pair.regret:.1f} points of {pair.y}, "
        f"trying the best two {pair.regret_top_2:.1f}"
    )


def _format_range(between: Interval) -> str:
    return f"{between.low:.2f} to {between.high:.2f}"
