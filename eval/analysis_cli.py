"""The verbs that read results: compare, correlate, recommend, reproduce, profile, report, fit-router, ablate-tools."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.display.terminal import print_found, print_note
from eval.options import Json, Quiet
from services.terminal.display import show_progress

if TYPE_CHECKING:
    from eval.store.stored import StoredResult


class Scorer(StrEnum):
    """Which verdict counts."""

    STRICT = "strict"
    OFFICIAL = "official"


ByScorer = Annotated[Scorer, typer.Option(help="Which verdict counts.")]


def compare(
    a: Annotated[Path, typer.Argument(help="Run folder or prediction file.")],
    b: Annotated[Path, typer.Argument(help="Run folder or prediction file.")],
    others: Annotated[list[Path] | None, typer.Argument(help="More: who wins where, and at what cost.")] = None,
    *,
    scorer: ByScorer = Scorer.STRICT,
    key_a: Annotated[str | None, typer.Option(help="Key of the prediction in file A.")] = None,
    key_b: Annotated[str | None, typer.Option(help="Key of the prediction in file B.")] = None,
    json: Json = False,
) -> None:
    """Compare two results over the same items: McNemar, paired difference, agreement, oracle, power.

    Of three or more, name who wins in each category and by how much per second.
    """
    from eval.analysis.compare import compare
    from eval.display.comparison import print_comparison
    from eval.store.stored import open_stored

    if others:
        _print_contest([open_stored(a, key_a), open_stored(b, key_b), *map(open_stored, others)], scorer, json=json)
        return
    comparison = compare(open_stored(a, key_a), open_stored(b, key_b), scorer.value)
    print_found(comparison, print_comparison, as_json=json)


def _print_contest(results: "list[StoredResult]", scorer: Scorer, *, json: bool) -> None:
    from eval.analysis.contest import hold_contest
    from eval.display.contest import print_contest

    found = hold_contest(results, scorer.value)
    print_found(found, print_contest, as_json=json)


def correlate(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of several LLMs, or one .csv of percentages.")],
    *,
    x: Annotated[str | None, typer.Option(help="Score that predicts, such as akb-open:text; default: each.")] = None,
    y: Annotated[str | None, typer.Option(help="Score that is predicted, such as mmau:lalm; default: each.")] = None,
    control_for: Annotated[
        str | None, typer.Option(help="Score that is held constant, such as mmlu:text: a partial correlation.")
    ] = None,
    json: Json = False,
) -> None:
    """Correlate scores over LLMs: intervals, influence of single models and families, selection regret."""
    from eval.analysis.correlate import correlate_all
    from eval.analysis.score_table import read_table
    from eval.display.correlation import print_correlations

    found = correlate_all(read_table(runs), x, y, control=control_for)
    print_found(found, print_correlations, as_json=json)


def recommend(
    runs: Annotated[list[Path], typer.Argument(help="Run folders of several LLMs, or one .csv of percentages.")],
    *,
    x: Annotated[str | None, typer.Option(help="Text-only score to rank by; default: the first.")] = None,
    y: Annotated[str | None, typer.Option(help="Score of the fine-tuned models; default: path lalm, if any.")] = None,
    n: Annotated[int | None, typer.Option(min=1, help="Questions behind a .csv's text-only score.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 0,
    json: Json = False,
) -> None:
    """Rank LLMs by a text-only score and say the expected regret of fine-tuning the first."""
    from eval.analysis.recommend import recommend
    from eval.analysis.score_table import read_table
    from eval.display.recommendation import print_recommendation

    found = recommend(read_table(runs), x, y, n=n, seed=seed)
    print_found(found, print_recommendation, as_json=json)


def reproduce(
    runs: Annotated[list[Path] | None, typer.Argument(help="Run folders to set beside the paper's figures.")] = None,
    *,
    json: Json = False,
) -> None:
    """Print the paper's tables beside our runs, its correlations recomputed, and its errors."""
    from eval.analysis.reproduce import reproduce
    from eval.display.reproduction import print_reproduction

    found = reproduce(runs or ())
    print_found(found, print_reproduction, as_json=json)


def profile(
    text_run: Annotated[Path, typer.Argument(help="Run folder over path text, such as an LLM's on akb-open.")],
    lalm_run: Annotated[Path, typer.Argument(help="Run folder over path lalm or informed.")],
    *,
    out: Annotated[Path | None, typer.Option(help="Plot to write: .svg, .png or .pdf.")] = None,
    json: Json = False,
) -> None:
    """Set what an LLM knows in text, by sub-category, beside what a LALM hears, by skill."""
    from eval.analysis.profile import pair_profiles
    from eval.display.profile import draw_profiles, print_profiles

    found = pair_profiles(text_run, lalm_run)
    if out is not None:
        draw_profiles(found, out)
    print_found(found, print_profiles, as_json=json)


def report(
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs.")],
    *,
    html: Annotated[Path, typer.Option(help="File to write.")],
    max_audio_mb: Annotated[float, typer.Option(min=0, help="Megabytes of clips that the page may hold.")] = 50.0,
) -> None:
    """Write one self-contained web page: tables, plots, comparisons, and every item with its audio."""
    from eval.page.page import write_page

    stats = write_page(runs, html, max_audio_mb=max_audio_mb)
    left_out = f", clips left out: {stats.num_clips_left_out}" if stats.num_clips_left_out else ""
    size = f"{stats.num_bytes / 1e6:.1f} MB, items: {stats.num_items}, clips: {stats.num_clips}{left_out}"
    print_note(f"{html}: {size}")


def fit_router(
    run_cascade: Annotated[Path, typer.Argument(help="Run folder over path cascade.")],
    run_lalm: Annotated[Path, typer.Argument(help="Run folder over path lalm, about the same questions.")],
    *,
    out: Annotated[Path, typer.Option(help="JSON file for the router; a plot is written beside it.")],
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Fit the router of --path auto, and measure it on held-out clips beside every other way to choose."""
    from eval.display.routing import draw_routing, print_routing
    from eval.routing.arms import read_arms
    from eval.routing.routing import evaluate_routing
    from services.json_lines import write_record

    with show_progress(quiet=quiet):
        fitted, table = evaluate_routing(read_arms(run_cascade, run_lalm))
    plot = out.with_suffix(".svg")
    write_record(out, fitted)
    draw_routing(table, plot)
    print_found(table, print_routing, as_json=json, note=f"Router: {out}; plot: {plot}")


def ablate_tools(
    run: Annotated[Path, typer.Argument(help="Run folder over path cascade; the result goes into it as tools.json.")],
    *,
    samples: Annotated[int, typer.Option(min=1, help="Orders of all tools that are drawn for each item.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the orders.")] = 0,
    lalm_run: Annotated[
        Path | None,
        typer.Option(help="Run over path lalm on the same questions, to set beside accuracy by actions used."),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what each tool of listening again is worth: every tool hears each item once, and readings are replayed."""
    from eval.display.tools import print_tools
    from eval.run.ablate_tools import ablate_tools

    with show_progress(quiet=quiet):
        found = ablate_tools(run, num_samples=samples, seed=seed, lalm_run=lalm_run)
    print_found(found, print_tools, as_json=json)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (compare, correlate, recommend, reproduce, profile, report, fit_router, ablate_tools):
        app.command()(verb)
