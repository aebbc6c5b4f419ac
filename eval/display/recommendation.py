"""Table of backbones ranked for fine-tuning, with the expected regret of each choice."""

from itertools import pairwise

from rich.console import Console
from rich.table import Table

from eval.analysis.recommend import RankedBackbone, Recommendation
from eval.display.tables import print_table
from services.terminal.counts import format_count

WORTH_A_RUN = 1.0  # points of y that one more fine-tuning has to promise


def print_recommendation(found: Recommendation, console: Console) -> None:
    """Print the ranking and, in words, what to do."""
    table = Table(title=f"by {found.x}", title_justify="left")
    for heading in ("LLM", found.x, "best by it", f"expected {found.y}, 95 %", "regret"):
        table.add_column(heading, justify="left" if heading == "LLM" else "right")
    for candidate in found.ranked:
        table.add_row(*_format_cells(candidate))
    print_table(table, console)
    for line in _format_words(found):
        console.print(line, highlight=False, soft_wrap=True)


def _format_cells(candidate: RankedBackbone) -> list[str]:
    interval = "" if candidate.ci_95 is None else f" [{candidate.ci_95.low:.1f}, {candidate.ci_95.high:.1f}]"
    known = candidate.predicted_95
    expected = f" [{known.low:.1f}, {known.high:.1f}]" if known else ""
    return [
        candidate.model,
        f"{candidate.score:.1f}{interval}",
        "-" if candidate.p_best is None else f"{candidate.p_best:.0%}",
        f"{candidate.predicted:.1f}{expected}{' measured' if candidate.measured else ''}",
        f"{candidate.regret:.1f}",
    ]


def _format_words(found: Recommendation) -> list[str]:
    first = found.ranked[0].model
    lines = [
        f"Calibrated on {found.calibrated_on}, {format_count(found.num_calibration, 'model')}: a point "
        f"of {found.x} is worth "
        f"{found.slope:.2f} points of {found.y}, and {found.residual_sd:.1f} points stay unexplained.",
        f"This takes {found.x} for a score on the calibration's scale; on another, read the regrets as a rough guide.",
        f"Fine-tuning {first} alone is expected to lose {found.regret_top[0]:.1f} points against the best candidate.",
    ]
    lines += [
        f"Fine-tuning the first {num} and keeping the best: {regret:.1f} points."
        for num, regret in enumerate(found.regret_top[1:], start=2)
    ]
    lines += _format_doubts(found)
    return [*lines, f"Recommendation: fine-tune {', then '.join(_pick_worth_trying(found))}."]


def _format_doubts(found: Recommendation) -> list[str]:
    """Say which scores are no better than guessing, and which models nothing tells apart."""
    guessing = [candidate.model for candidate in found.ranked if candidate.at_chance]
    lines = [f"At chance on {found.x}, so that it says nothing of them: {', '.join(guessing)}."] if guessing else []
    seen: set[str] = set()
    for candidate in found.ranked:
        if candidate.tied_with and candidate.model not in seen:
            tied = (candidate.model, *candidate.tied_with)
            seen |= set(tied)
            lines.append(f"{', '.join(tied)} tie: nothing here tells them apart, and they stand by their names.")
    return lines


def _pick_worth_trying(found: Recommendation) -> list[str]:
    """Return the first by expected y, and each next one for as long as trying it too is expected to win a point."""
    gains = [before - after for before, after in pairwise(found.regret_top)]
    num = 1 + next((index for index, gain in enumerate(gains) if gain < WORTH_A_RUN), len(gains))
    return [candidate.model for candidate in found.ranked[:num]]
