"""Plots as SVG: accuracies with their intervals, accuracy against cost, and the heat-map of a grid."""

import warnings
from collections.abc import Sequence
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple
from xml.sax.saxutils import quoteattr

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from eval.scoring.intervals import Interval

# Told apart with colour blindness too.
COLOURS = ("#2a6fdb", "#d9822b", "#2f9e6e", "#b5487a", "#7a63c7", "#8a8f98", "#8c5a2b")
MARKERS = "os^DvpX"
LINE = "#8a8f98"
INK = "#000000"  # what `render_inline` lets the page decide
DARK_BELOW = 0.45  # below this accuracy white is read better on viridis than black
STYLE: dict[Any, Any] = {  # keys are literals of matplotlib's own stubs
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "earwitness",
    # Names come from benchmarks and folders: "$\x$" is text in them, and no formula.
    "text.parse_math": False,
}


class AccuracyBar(NamedTuple):
    """An accuracy with its interval, all in [0, 1]."""

    run: str
    group: str
    accuracy: float
    wilson_95: Interval


def draw_intervals(bars: Sequence[AccuracyBar]) -> str:
    """Return inline SVG: a row for each group, and in it a dot with a whisker for each run."""
    groups, runs = list(dict.fromkeys(bar.group for bar in bars)), list(dict.fromkeys(bar.run for bar in bars))
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 0.8 + 0.2 * len(runs) + 0.17 * len(groups) * (len(runs) + 1)), layout="constrained")
        axes = figure.subplots()
        for bar in bars:
            number = runs.index(bar.run)
            _measure_whisker(
                axes, bar, groups.index(bar.group) + (number - (len(runs) - 1) / 2) * 0.7 / len(runs), number
            )
        axes.set_yticks(range(len(groups)), groups)
        axes.set_ylim(len(groups) - 0.5, -0.5)
        axes.set_xlim(0, 100)
        axes.set_xlabel("strict accuracy, %, with Wilson's 95 % interval")
        axes.grid(axis="x", alpha=0.25)
        remove_frame(axes)
        keys = [Line2D([], [], color=_pick_colour(number), marker=_pick_marker(number)) for number in range(len(runs))]
        figure.legend(keys, runs, loc="outside upper left", frameon=False, fontsize=9)
        return render_inline(figure, f"Strict accuracy with interval of {', '.join(runs)}")


class CostPoint(NamedTuple):
    """An accuracy in [0, 1] with its interval, and what it costs."""

    name: str
    seconds: float
    """Per question."""
    accuracy: float
    wilson_95: Interval


def draw_accuracy_against_cost(dots: Sequence[CostPoint], curve: Sequence[CostPoint], out: Path) -> None:
    """Write a plot in the format of `out`'s suffix: a dot with a whisker for each way, and one way at several costs."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(8, 4.5), layout="constrained")
        axes = figure.subplots()
        axes.plot([p.seconds for p in curve], [100 * p.accuracy for p in curve], color=LINE, lw=1, zorder=1)
        for number, dot in enumerate(dots):
            errors = [[100 * (dot.accuracy - dot.wilson_95.low)], [100 * (dot.wilson_95.high - dot.accuracy)]]
            place = (dot.seconds, 100 * dot.accuracy)
            colour, marker = _pick_colour(number), _pick_marker(number)
            axes.errorbar(*place, yerr=errors, fmt=marker, color=colour, label=dot.name, capsize=2.5, markersize=6)
        axes.set_xlabel("seconds per question")
        axes.set_ylabel("strict accuracy, %, with Wilson's 95 % interval")
        axes.grid(alpha=0.25)
        remove_frame(axes)
        figure.legend(loc="outside right upper", frameon=False, fontsize=9)
        figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)


class BudgetPoint(NamedTuple):
    """An accuracy in [0, 1] with its interval, within a budget."""

    name: str
    budget: int
    accuracy: float
    wilson_95: Interval


def draw_accuracy_against_budget(dots: Sequence[BudgetPoint], out: Path) -> None:
    """Write a plot in the format of `out`'s suffix: a line with a band for each name."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(7, 4.5), layout="constrained")
        axes = figure.subplots()
        for number, name in enumerate(dict.fromkeys(dot.name for dot in dots)):
            line = [dot for dot in dots if dot.name == name]
            budgets, colour = [dot.budget for dot in line], _pick_colour(number)
            axes.plot(
                budgets,
                [100 * dot.accuracy for dot in line],
                color=colour,
                marker=_pick_marker(number),
                lw=1.5,
                label=name,
            )
            low, high = [100 * dot.wilson_95.low for dot in line], [100 * dot.wilson_95.high for dot in line]
            axes.fill_between(budgets, low, high, color=colour, alpha=0.1, lw=0)
        axes.set_xticks(sorted({dot.budget for dot in dots}))
        axes.set_xlabel("budget, actions")
        axes.set_ylabel("strict accuracy, %, with Wilson's 95 % interval")
        axes.grid(alpha=0.25)
        remove_frame(axes)
        axes.legend(frameon=False, fontsize=9)
        figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)


def _measure_whisker(axes: Axes, bar: AccuracyBar, y: float, number: int) -> None:
    errors = [[100 * (bar.accuracy - bar.wilson_95.low)], [100 * (bar.wilson_95.high - bar.accuracy)]]
    colour, marker = _pick_colour(number), _pick_marker(number)
    axes.errorbar(100 * bar.accuracy, y, xerr=errors, fmt=marker, color=colour, capsize=2.5, markersize=5)


def _pick_colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def _pick_marker(number: int) -> str:
    return MARKERS[(number + number // len(COLOURS)) % len(MARKERS)]  # a colour that comes again has another


def draw_heat_map(
    rows: Sequence[str], columns: Sequence[str], values: Sequence[Sequence[float | None]], out: Path, *, title: str
) -> None:
    """Write a heat-map of accuracies in [0, 1], shape (num_rows, num_columns); None is an empty cell.

    The format is that of `out`'s suffix, such as .svg or .png.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(2.8 + 1.1 * len(columns), 1.4 + 0.5 * len(rows)), layout="constrained")
        axes = figure.subplots()
        cells = [[float("nan") if value is None else 100 * value for value in row] for row in values]
        axes.imshow(cells, cmap="viridis", vmin=0, vmax=100, aspect="auto")
        axes.set_xticks(range(len(columns)), columns, rotation=20, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(rows)), rows)
        axes.set_title(f"{title}, %", fontsize=11)
        for y, row in enumerate(values):
            for x, value in enumerate(row):
                text = "-" if value is None else f"{100 * value:.1f}"
                is_dark = value is not None and value < DARK_BELOW
                axes.text(x, y, text, ha="center", va="center", color="white" if is_dark else "black")
        remove_frame(axes)
        figure.savefig(out)


def render_inline(figure: Figure, label: str) -> str:
    """Return the figure as SVG for a page: no XML head, no background, text in the page's own colour."""
    buffer = StringIO()
    with warnings.catch_warnings():
        # The reader's browser has fonts for scripts that matplotlib's lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    svg = buffer.getvalue()
    inline = svg[svg.index("<svg") :].replace(INK, "currentColor")
    # Text without a colour of its own is black in SVG, whatever the page says.
    return inline.replace("<svg ", f'<svg fill="currentColor" role="img" aria-label={quoteattr(label)} ', 1)


def remove_frame(axes: Axes) -> None:
    """Leave only the grid around a plot."""
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
