"""Tables and plot of what a model knows in text beside what one hears."""

from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from eval.analysis.profile import ProfilePair, RunProfile
from eval.display.plots import COLOURS, STYLE, remove_frame
from eval.display.tables import print_table
from services.errors import BadConfig

FORMATS = (".svg", ".png", ".pdf")
ROW = 0.2  # inches for a skill


def print_profiles(found: ProfilePair, console: Console) -> None:
    """Print a table for each of the two."""
    for profile in (found.text, found.lalm):
        table = Table(title=f"{profile.model} on {profile.benchmark}", title_justify="left")
        for column in ("category", "sub-category", "n", "right %", "95 %"):
            table.add_column(column, justify="left" if "category" in column else "right")
        for skill in profile.skills:
            low, high = (100 * end for end in skill.wilson_95)
            cells = (str(skill.n), f"{100 * skill.accuracy:.1f}", f"{low:.1f}-{high:.1f}")
            table.add_row(skill.category, skill.name, *cells)
        print_table(table, console)


def draw_profiles(found: ProfilePair, out: Path) -> None:
    """Write a plot: the two side by side, a dot with a whisker for each skill.

    Raises:
        BadConfig: the suffix of `out` is none of `FORMATS`.
    """
    if out.suffix not in FORMATS:
        raise BadConfig(
            f"'{out}' cannot be written as a plot: its name has to end in {', '.join(FORMATS[:-1])} or .pdf."
        )
    profiles = (found.text, found.lalm)
    height = 1.2 + ROW * max(len(profile.skills) for profile in profiles)
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(12, height), layout="constrained")
        left, right = figure.subplots(1, 2)
        for axes, profile, what in ((left, found.text, "knows in text"), (right, found.lalm, "hears")):
            _draw_profile(axes, profile)
            axes.set_title(f"what {profile.model} {what}: {profile.benchmark}", fontsize=10)
        out.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)


def _draw_profile(axes: Axes, profile: RunProfile) -> None:
    categories = list(dict.fromkeys(skill.category for skill in profile.skills))
    for y, skill in enumerate(profile.skills):
        colour = COLOURS[categories.index(skill.category) % len(COLOURS)]
        right = 100 * skill.accuracy
        errors = [[right - 100 * skill.wilson_95.low], [100 * skill.wilson_95.high - right]]
        label = skill.category if skill.category not in axes.get_legend_handles_labels()[1] else None
        axes.errorbar(right, y, xerr=errors, fmt="o", color=colour, capsize=2, markersize=4, lw=1, label=label)
    axes.set_yticks(range(len(profile.skills)), [skill.name for skill in profile.skills], fontsize=7)
    axes.set_ylim(len(profile.skills) - 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.set_xlabel("strict accuracy, %, with Wilson's 95 % interval")
    axes.grid(axis="x", alpha=0.25)
    remove_frame(axes)
    axes.legend(frameon=False, fontsize=8, loc="best")
