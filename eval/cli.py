"""The command `eval`: parse, run, print.

    eval run --path cascade --llm phi-4 --bench mmau

A shell's builtin `eval` executes its arguments, so there the command `run` is what starts; without a
shell `eval` itself does. Both are this app, and `python -m eval` too. In a shell every other verb is
`earwitness eval VERB`, or `python -m eval VERB`.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval import analysis_cli, probing_cli
from eval.akb_open import cli as akb_cli
from eval.display.terminal import leave_now, open_terminal, print_found, print_note
from eval.options import (
    ALL,
    AnsweringOptions,
    AskingOptions,
    BenchmarkOptions,
    ExportForm,
    Fields,
    Grouping,
    Json,
    JudgingOptions,
    ModelOptions,
    Quiet,
    RunningOptions,
    control_option,
    make_app,
    model_option,
    output_option,
    parse_amount,
    run_option,
    with_groups,
)
from eval.usage import run_app
from services.errors import EarwitnessError
from services.terminal.command import INTERRUPTED, UNUSABLE, explain_surroundings
from services.terminal.counts import format_count
from services.terminal.interruption import end_on_interrupt

if TYPE_CHECKING:
    from eval.run.request import RunRequest
    from eval.run.session import Outcome

PARTLY_UNUSABLE = 1  # exit code of a grid of which some models cannot run here

app = make_app("Measure answers: ask a benchmark's questions and score what comes back.")


@app.callback()
def _group() -> None:
    """Keep `run` a command with a name."""


@app.command()
@with_groups
def run(
    *,
    models: ModelOptions,
    server: Annotated[str | None, model_option(help="Running Earwitness service to ask instead.")] = None,
    answering: AnsweringOptions,
    benchmark: BenchmarkOptions,
    control: Annotated[
        list[str] | None,
        control_option(help="Control run to add; may be repeated, and an unknown name lists them all."),
    ] = None,
    probe_items: Annotated[
        int, control_option(parser=parse_amount, metavar="NUMBER|all", help="Items that the audio probes ask, or all.")
    ] = 50,
    seed: Annotated[int, control_option(help="Seed of the random choices that controls make.")] = 0,
    asking: AskingOptions,
    judging: JudgingOptions,
    running: RunningOptions,
    abstain: Annotated[
        float | None,
        output_option(min=0, max=1, help="Also report accuracy without answers less sure than this."),
    ] = None,
    by: Annotated[
        list[Grouping] | None,
        output_option(help="Also print accuracy by these groups; may be repeated.", show_default="by task"),
    ] = None,
) -> None:
    """Ask a benchmark's questions and score the answers; the same command continues where it stopped."""
    from eval.display.progress import show_passes
    from eval.run import session

    controls = tuple(dict.fromkeys(control or ()))
    own = {
        "server": server,
        "controls": controls,
        "num_probed": None if probe_items == ALL else probe_items,
        "seed": seed,
        "abstain": abstain,
    }
    request = _build_request(models, answering, benchmark, asking, judging, running).model_copy(update=own)
    _require_trackers(running)
    with show_passes(quiet=running.quiet):
        outcome = session.run(request)
    with _hand_on_afterwards([outcome.folder] if outcome.is_complete and outcome.lost is None else [], running):
        _report(outcome, request.resolve_options().budget or 0, tuple(by or ()))


def _build_request(
    models: ModelOptions,
    answering: AnsweringOptions,
    benchmark: BenchmarkOptions,
    asking: AskingOptions,
    judging: JudgingOptions,
    running: RunningOptions,
) -> "RunRequest":
    """Return what the shared options ask for."""
    from eval.run.request import Price, RunRequest

    return RunRequest(
        path=answering.path,
        budget=answering.budget,
        summary=answering.summary,
        planner=answering.planner,
        rotations=answering.rotations,
        router=str(answering.router) if answering.router else None,
        calibration=str(answering.calibration) if answering.calibration else None,
        explains=answering.explain,
        **{role: name for role, name in asdict(models).items() if name is not None},
        bench=benchmark.bench,
        audio_root=benchmark.audio_root,
        missing=benchmark.missing.value,
        fields=tuple(benchmark.fields or ()),
        limit=benchmark.limit,
        sample=benchmark.sample,
        repeats=asking.repeats,
        temperature=asking.temperature,
        prompt_form=asking.prompt_form,
        judges=tuple(dict.fromkeys(judging.judge or ())),
        judge_url=judging.judge_url,
        concurrency=running.concurrency,
        retry_failed=running.retry_failed,
        price=Price.read(running.price) if running.price else None,
        out=running.out,
    )


def _require_trackers(running: RunningOptions) -> None:
    from services.telemetry.trackers import import_tracker

    for tracker in running.track or ():
        import_tracker(tracker.value)


@contextmanager
def _hand_on_afterwards(folders: Sequence[Path], running: RunningOptions) -> Iterator[None]:
    """Print results, and then hand finished runs on to other tools, also where the command ends as a failure."""
    try:
        yield
    finally:
        if running.export or running.track:
            _hand_on(folders, running)


def _hand_on(folders: Sequence[Path], running: RunningOptions) -> None:
    from eval.export.inspect_log import write_inspect_log
    from eval.export.lm_eval_results import write_lm_eval
    from eval.export.trackers import track_run

    writers = {ExportForm.LM_EVAL: write_lm_eval, ExportForm.INSPECT: write_inspect_log}
    for folder in folders:
        for form in dict.fromkeys(running.export or ()):
            print_note(f"As {form.value} has it: {writers[form](folder)}")
        for tracker in dict.fromkeys(running.track or ()):
            track_run(tracker.value, folder)


@app.command()
def score(
    predictions: Annotated[Path, typer.Argument(help="JSON list or JSON lines of predictions, or a run folder.")],
    *,
    bench: Annotated[str, typer.Option(help="Benchmark that the predictions answer.")] = "mmau",
    key: Annotated[
        str | None,
        typer.Option(help="Key of the prediction; default: model_prediction, model_output or answer_prediction."),
    ] = None,
    fields: Fields = None,
    json: Json = False,
) -> None:
    """Score any prediction file by the official matcher and by strict reading.

    A row needs id, choices, answer and a prediction; every row counts, unread ones as wrong.
    """
    from eval.analysis.score import score_file
    from eval.benchmarks.fields import parse_fields
    from eval.display.score import print_score

    scored = score_file(predictions, bench, key, parse_fields(fields or ()))
    print_found(scored, partial(print_score, predictions.name), as_json=json)


@app.command("grid")
@with_groups
def ask_grid(
    *,
    models: ModelOptions,
    rows: Annotated[
        str | None,
        model_option(help="Names of the LLMs' rows, in their order, with commas between.", show_default="the LLMs'"),
    ] = None,
    answering: AnsweringOptions,
    benchmark: BenchmarkOptions,
    asking: AskingOptions,
    judging: JudgingOptions,
    running: RunningOptions,
) -> None:
    """Run every captioner with every LLM, or the LALM of every LLM: a table, a heat-map and what it cost.

    --llm and --captioner take several names, separated by commas, an LLM also as NAME=URL of the server that runs it;
    --lalm on path lalm takes the LALM made of each LLM, in the same order. Each clip is perceived once per captioner.
    The same command continues where it stopped.
    """
    from eval.display.grid import draw_grid, print_grid
    from eval.display.progress import show_passes
    from eval.run.grid import find_total_failure, read_models, run_grid

    shared = replace(models, llm=None, captioner=None, lalm=None)
    request = _build_request(shared, answering, benchmark, asking, judging, running)
    llms = read_models(_split_names(models.llm), _split_names(rows))
    _require_trackers(running)
    with show_passes(quiet=running.quiet):
        done = run_grid(request, llms, _split_names(models.captioner), _split_names(models.lalm))
    print_grid(done, open_terminal())
    _hand_on([cell.folder for cell in done.cells if cell.is_complete], running)
    print_note(f"Heat-map: {draw_grid(done)}")
    _end_where_all_failed("No run of the grid answered anything", find_total_failure(done.cells))
    if not all(cell.is_complete for cell in done.cells):
        leave_now(PARTLY_UNUSABLE if any(cell.error for cell in done.cells) else INTERRUPTED)


@app.command("study")
def conduct_study(
    file: Annotated[
        Path, typer.Argument(help="YAML file of the study; study.example.yaml and study.paper.yaml are in the package.")
    ],
    *,
    out: Annotated[Path, output_option(help="Folder for its runs and its page.")],
    dry_run: Annotated[bool, run_option("--dry-run", help="Say what it would ask and cost, and ask nothing.")] = False,
    max_audio_mb: Annotated[
        float, output_option(min=0, help="Megabytes of clips that each benchmark's page may hold.")
    ] = 50.0,
    quiet: Quiet = False,
) -> None:
    """Ask every LLM of a study every benchmark, and write one page: scores, correlations, which to fine-tune, cost.

    The same command continues where it stopped.
    """
    from eval.display.estimates import print_estimates
    from eval.display.progress import show_passes
    from eval.run.grid import find_total_failure
    from eval.study.config import read_study
    from eval.study.page import write_study_page
    from eval.study.study import estimate_study, run_study

    config = read_study(file)
    if dry_run:
        print_estimates(estimate_study(config), open_terminal())
        return
    with show_passes(quiet=quiet):
        done = run_study(config, out, lambda line: print(line, file=sys.stderr))  # noqa: T201
    page = write_study_page(done, out, max_audio_mb)
    print_note(f"Page: {page}")
    _end_where_all_failed("No run of the study answered anything", find_total_failure(one.cell for one in done.cells))
    if not done.is_complete:
        leave_now(INTERRUPTED)


def _split_names(listed: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (listed or "").split(",") if name.strip())


@app.command("rubric")
def rate_replies(
    folder: Annotated[
        Path, typer.Argument(help="Folder of a run over MMAR; with --claims-only, of any run with --explain.")
    ],
    *,
    judge: Annotated[
        str, typer.Option(help="LLM that rates, as NAME or NAME=URL; MMAR's own judge is gpt-4o-2024-11-20.")
    ] = "gpt-4o",
    judge_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server that runs the judge.")] = None,
    raters: Annotated[int, typer.Option(min=3, help="Ratings of each item; the two outermost are dropped.")] = 5,
    concurrency: Annotated[int, typer.Option(min=1, help="Ratings in flight at once.")] = 8,
    claims_only: Annotated[
        bool, typer.Option("--claims-only", help="Ask no judge: count the claims that their evidence supports.")
    ] = False,
) -> None:
    """Rate the reasoning behind MMAR's answers by its rubric; the same command continues where it stopped.

    Of a run with --explain it also says what share of the claims is supported by the evidence that they cite.
    """
    import asyncio

    from eval.analysis.rubric import find_rating_failures, rate_run, score_claims
    from eval.run.request import ServedModel
    from services.catalog import open_llm

    if claims_only:
        print(score_claims(folder).model_dump_json(indent=1))  # noqa: T201
        return
    named = ServedModel.read(judge, judge_url)
    scored = asyncio.run(rate_run(folder, open_llm(*named), num_raters=raters, concurrency=concurrency))
    print(scored.model_dump_json(indent=1))  # noqa: T201
    _end_where_all_failed(
        f"{named.name} rated none of the {scored.failed} answers", find_rating_failures(folder, scored)
    )


analysis_cli.register(app)
probing_cli.register(app)
akb_cli.register(app)


def _report(outcome: "Outcome", budget: int, groups: tuple[Grouping, ...]) -> None:
    from eval.display.results import format_retries, print_calibration, print_groups, print_results
    from eval.store.failures import find_failures

    console = open_terminal()
    print_results(outcome.folder.name, outcome.summary, console)
    print_groups(outcome.summary, [group.value for group in groups], console)
    if budget and outcome.lost is None:
        _report_budget(outcome.folder, budget)
    print_note(f"Run folder: {outcome.folder}")
    if outcome.calibration:
        print_calibration(outcome.folder, outcome.calibration, console)
    for line in format_retries(outcome.summary):
        console.print(line)
    if outcome.lost is not None:
        print_note(f"The run folder lacks some of this ({outcome.lost}); the same command asks for what is missing.")
        leave_now(UNUSABLE)
    if not outcome.is_complete:
        console.print(
            f"{outcome.summary.n} of {format_count(outcome.num_items, 'item')}; the same command asks the rest."
        )
        leave_now(INTERRUPTED)
    _end_where_all_failed(
        f"{format_count(outcome.num_items, 'item')}, and not one could be scored",
        find_failures(outcome.folder, outcome.num_items),
    )


def _end_where_all_failed(what: str, reasons: Sequence[str]) -> None:
    """End the command with the common reason where there are reasons; what is finished stays on disk."""
    from eval.store.failures import describe_total_failure

    if reasons:
        print(f"eval: {describe_total_failure(what, reasons)}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(UNUSABLE)


def _report_budget(folder: Path, budget: int) -> None:
    from eval.analysis.budget import ACTIONS_FILE, compare_by_actions, compute_budget_curves
    from eval.display.budget import draw_budget_curves, print_actions, print_budget_curves
    from eval.store.stored import read_predictions
    from services.json_lines import write_record

    predictions = list(read_predictions(folder))
    by_actions = compare_by_actions(predictions, budget)
    write_record(folder / ACTIONS_FILE, by_actions)
    print_actions(by_actions, open_terminal())
    found = compute_budget_curves(predictions, budget)
    print_budget_curves(found, open_terminal())
    print_note(f"Accuracy against budget: {draw_budget_curves(found, folder)}")


def main(arguments: list[str] | None = None) -> None:
    """Run `eval`; an error that the user can fix is one line on stderr and exit code 2."""
    try:
        with end_on_interrupt("eval"), explain_surroundings():
            run_app(app, arguments, "eval")
    except EarwitnessError as error:
        print(f"eval: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(UNUSABLE)


def run_main() -> None:
    """Run `eval run`, where a shell executes `run` for it."""
    main(["run", *sys.argv[1:]])
