"""Tables and plots of what is found inside a LALM: linear probes, text probes, forgetting."""

from collections.abc import Callable, Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from eval.display.plots import COLOURS, LINE, STYLE, remove_frame
from eval.display.tables import print_line, print_table
from eval.probing.forgetting import ConditionScore, ForgettingReport
from eval.probing.probe import ProbeReport, ProbeScore, StageProbe
from eval.probing.retrieval import RANKS, RetrievalReport
from eval.scoring.intervals import warn_of_few
from services.terminal.counts import format_count

LINES = (
    ("encoder, mean of frames", "encoder", "mean", "o"),
    ("connector, mean of tokens", "connector", "mean", "s"),
    ("all taps, all tokens", None, "all", "D"),
    ("backbone, mean of audio tokens", "backbone", "mean", "^"),
    ("backbone, last token", "backbone", "last", "v"),
)
"""Label, part, reading and marker of each line."""
GAP = 2.0  # between encoder, connector and backbone, in steps of a layer
EVERY = 5  # layers between two that are named on the axis


def print_probe(found: ProbeReport, console: Console) -> None:
    """Print a line for each stage, and what is lost between them."""
    title = (
        f"{found.lalm}, {found.label} of {found.benchmark}: {format_count(found.n, 'clip')} of "
        f"{format_count(found.num_sources, 'recording')}, "
        f"{len(found.classes)} classes, {found.num_folds} folds of recordings. Chance {100 * found.chance:.1f} %, "
        f"always the most frequent class {100 * found.majority:.1f} %.{warn_of_few(found.num_sources)}"
    )
    table = Table(title=title, title_justify="left")
    asks = found.chance_among_options is not None
    for column in ("stage", "features", "accuracy %", "95 %", "control %", "selectivity", "95 %"):
        table.add_column(column, justify="left" if column == "stage" else "right", no_wrap=True)
    if asks:
        table.add_column("among options %", justify="right", no_wrap=True)
    for one in found.stages:
        table.add_row(*_format_cells(one))
    print_table(table, console)
    if left_out := [f"{num} {reason}" for reason, num in found.left_out.items()]:
        print_line(f"Left out: {', '.join(left_out)}.", console)
    if found.answers:
        print_line(f"Its own answers: {_format_score(found.answers)}.", console)
    for step in found.steps:
        print_line(
            f"{step.before} → {step.after}: {100 * step.difference:+.1f} points "
            f"({100 * step.ci_95.low:+.1f} to {100 * step.ci_95.high:+.1f}, p = {step.p:.2g})",
            console,
        )


def _format_cells(one: StageProbe) -> list[str]:
    cells = [
        one.name,
        str(one.width),
        f"{100 * one.accuracy:.1f}",
        _format_interval(one),
        f"{100 * one.control:.1f}",
        f"{100 * one.selectivity:+.1f}",
        f"{100 * one.selectivity_95.low:+.1f} to {100 * one.selectivity_95.high:+.1f}",
    ]
    return [*cells, _format_score(one.among_options)] if one.among_options else cells


def _format_score(score: ProbeScore) -> str:
    return f"{100 * score.accuracy:.1f} ({_format_interval(score)})"


def _format_interval(score: ProbeScore) -> str:
    return f"{100 * score.ci_95.low:.1f}-{100 * score.ci_95.high:.1f}"


def draw_probe(found: ProbeReport, out: Path) -> None:
    """Write a plot in the format of `out`'s suffix: accuracy by stage, and below it among the options if there are."""
    panels = 1 if found.chance_among_options is None else 2
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(9, 1 + 3.4 * panels), layout="constrained")
        axes: list[Axes] = list(figure.subplots(panels, squeeze=False, sharex=True)[:, 0])
        _draw_panel(axes[0], found, lambda one: one)
        axes[0].axhline(100 * found.majority, color=LINE, lw=1, ls=":", label="most frequent class")
        axes[0].tick_params(labelbottom=True)
        _name_places(axes[0], found)
        axes[0].set_ylabel(f"{found.label}, {len(found.classes)} classes: accuracy, %")
        places = [_place(found, one) for one in found.stages]
        controls = [(x, 100 * one.control) for x, one in zip(places, found.stages, strict=True)]
        axes[0].plot(*zip(*controls, strict=True), "_", color=LINE, label="control: labels at random")
        if found.chance_among_options is not None:
            _draw_panel(axes[1], found, lambda one: one.among_options)
            axes[1].axhline(100 * found.chance_among_options, color=LINE, lw=1, ls=":")
            _name_places(axes[1], found)
            axes[1].set_ylabel("among the options: accuracy, %")
            _draw_answers(axes[1], found)
        figure.suptitle(
            f"{found.lalm}: where is it lost? ({found.benchmark}, {format_count(found.n, 'clip')})", fontsize=11
        )
        figure.legend(*_collect_keys(axes), loc="outside lower center", ncols=3, frameon=False, fontsize=9)
        figure.savefig(out, metadata={"Date": None} if out.suffix == ".svg" else None)


def _draw_panel(axes: Axes, found: ProbeReport, score_of: Callable[[StageProbe], ProbeScore | None]) -> None:
    for number, (label, part, reading, marker) in enumerate(LINES):
        drawn = [one for one in found.stages if one.reading == reading and part in {None, one.part}]
        scores = [(one, score) for one in drawn if (score := score_of(one)) is not None]
        xs, ys = [_place(found, one) for one, _ in scores], [100 * score.accuracy for _, score in scores]
        low, high = [100 * score.ci_95.low for _, score in scores], [100 * score.ci_95.high for _, score in scores]
        colour, style = COLOURS[number], "" if reading == "all" else "-"
        axes.plot(xs, ys, style, marker=marker, color=colour, lw=1.5, markersize=4, label=label)
        if len(xs) > 1 and reading != "all":
            axes.fill_between(xs, low, high, color=colour, alpha=0.12, lw=0)
        else:
            errors = [[y - a for y, a in zip(ys, low, strict=True)], [b - y for y, b in zip(ys, high, strict=True)]]
            axes.errorbar(xs, ys, yerr=errors, fmt="none", color=colour, capsize=2.5, lw=1)
    axes.set_ylim(0, 102)
    axes.grid(axis="y", alpha=0.25)
    remove_frame(axes)


def _name_places(axes: Axes, found: ProbeReport) -> None:
    """Name the stages below, and the parts of the model above."""
    last = _count_layers(found)
    named = {_place(found, one): _name_place(one) for one in found.stages}
    layers = {_place(found, one) for one in found.stages if one.part == "backbone" and _is_named(one.layer, last)}
    shown = [x for x in named if x in layers or x < min(layers)]
    axes.set_xticks(shown, [named[x] for x in shown], fontsize=8)
    for part, title in (("encoder", "encoder tap"), ("connector", "connector"), ("backbone", "backbone layer")):
        places = [_place(found, one) for one in found.stages if one.part == part]
        axes.text(min(places) - GAP / 4, 103, title, fontsize=9, va="bottom")
        if part != "encoder":
            axes.axvline(min(places) - GAP / 2, color=LINE, lw=0.8)


def _is_named(layer: int, last: int) -> bool:
    return layer in {1, last} or (layer % EVERY == 0 and last - layer >= EVERY / 2)


def _name_place(one: StageProbe) -> str:
    if one.part == "backbone":
        return str(one.layer)
    return one.reading if one.part == "connector" or one.reading == "all" else str(one.layer + 1)


def _draw_answers(axes: Axes, found: ProbeReport) -> None:
    if found.answers is None:
        return
    x, answered = max(_place(found, one) for one in found.stages) + GAP, found.answers
    errors = [[100 * (answered.accuracy - answered.ci_95.low)], [100 * (answered.ci_95.high - answered.accuracy)]]
    axes.errorbar(x, 100 * answered.accuracy, yerr=errors, fmt="*", color="#000000", capsize=2.5, label="own answers")


def _collect_keys(axes: Sequence[Axes]) -> tuple[list[Artist], list[str]]:
    keys = {label: key for one in axes for key, label in zip(*one.get_legend_handles_labels(), strict=True)}
    return list(keys.values()), list(keys)


def _count_layers(found: ProbeReport) -> int:
    return max(one.layer for one in found.stages if one.part == "backbone")


def _place(found: ProbeReport, one: StageProbe) -> float:
    """Return where a stage stands on the axis: taps, all taps, connector, all its tokens, layers."""
    taps = sum(other.part == "encoder" and other.reading == "mean" for other in found.stages)
    if one.part == "encoder":
        return float(taps if one.reading == "all" else one.layer)
    if one.part == "connector":
        return taps + GAP * (2 if one.reading == "all" else 1)
    return taps + 3 * GAP + one.layer - 1


def print_retrieval(found: RetrievalReport, console: Console) -> None:
    """Print a line for each layer: names of unseen classes retrieved, and the control."""
    chance = ", ".join(f"{100 * found.chance_at_rank[rank]:.1f} % at {rank}" for rank in RANKS)
    title = (
        f"Names of {found.num_classes} classes in {found.backbone}, by {format_count(found.n, 'clip')} "
        f"of {found.benchmark} as the "
        f"encoder of {found.encoder} hears them; {found.num_folds} folds of classes. Chance {chance}."
    )
    table = Table(title=title, title_justify="left")
    columns = ("layer", *(f"at {rank} %" for rank in RANKS), "95 % at 1", *(f"control at {rank} %" for rank in RANKS))
    for column in (*columns, f"difference at {RANKS[-1]}", "95 %"):
        table.add_column(column, justify="left" if column == "layer" else "right", no_wrap=True)
    for one in found.layers:
        table.add_row(
            str(one.layer) if one.layer else "embeddings",
            *(f"{100 * one.at_rank[rank]:.1f}" for rank in RANKS),
            f"{100 * one.ci_95.low:.1f}-{100 * one.ci_95.high:.1f}",
            *(f"{100 * one.control_at_rank[rank]:.1f}" for rank in RANKS),
            f"{100 * one.difference:+.1f}",
            f"{100 * one.difference_95.low:+.1f} to {100 * one.difference_95.high:+.1f}",
        )
    print_table(table, console)


def print_forgetting(found: ForgettingReport, console: Console) -> None:
    """Print a line for each way in which questions in text were asked."""
    title = (
        f"{found.lalm} on {format_count(found.n, 'question')} of {found.benchmark} in text, chance "
        f"{100 * found.chance:.1f} %. "
        f"Recording: {', '.join(found.recordings)}."
    )
    table = Table(title=title, title_justify="left")
    for column in (
        "prompt",
        "right %",
        "95 %",
        "difference",
        "95 %",
        "McNemar p",
        "forgetting rate %",
        "same choice %",
    ):
        table.add_column(column, justify="left" if column == "prompt" else "right", no_wrap=True)
    for number, one in enumerate(found.conditions):
        table.add_row(*_format_condition(one, is_bare=not number))
    print_table(table, console)
    if found.is_at_chance:
        line = f"The bare backbone {found.backbone} is at chance here: there is nothing that could be forgotten."
        print_line(line, console)


def _format_condition(one: ConditionScore, *, is_bare: bool) -> list[str]:
    recording = "with the recording" if one.has_recording else "no recording"
    name = "bare backbone" if is_bare else f"{recording}, adapters {'on' if one.has_adapters else 'off'}"
    cells = [name, f"{100 * one.accuracy:.1f}", f"{100 * one.wilson_95.low:.1f}-{100 * one.wilson_95.high:.1f}"]
    if is_bare:
        return [*cells, "", "", "", "", ""]
    return [
        *cells,
        f"{100 * one.difference:+.1f}",
        f"{100 * one.ci_95.low:+.1f} to {100 * one.ci_95.high:+.1f}",
        f"{one.p:.2g}",
        "-" if one.forgetting_rate is None else f"{100 * one.forgetting_rate:+.1f}",
        f"{100 * one.same_choice:.1f}",
    ]
