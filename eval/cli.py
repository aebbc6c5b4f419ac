"""The command `eval`: parse, run, print.

    eval run --path cascade --llm phi-4 --bench mmau

A shell's builtin `eval` executes its arguments, so there the command `run` is what starts; without a
shell `eval` itself does. Both are this app, and `python -m eval` too. In a shell every other verb is
`earwitness eval VERB`, or `python -m eval VERB`.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from eval import analysis_cli
from eval.akb_open import cli as akb_cli
from eval.display.terminal import leave_now, terminal
from services.command import INTERRUPTED, UNUSABLE
from services.errors import EarwitnessError

if TYPE_CHECKING:
    from eval.run.session import Outcome

NOTHING_WORKED = 1  # exit code of a run whose every item failed

Rotations: TypeAlias = Annotated[
    int | None,
    typer.Option(min=1, max=26, help="Orders of the options to average over; default: what suits the LLM."),
]
RouterFile: TypeAlias = Annotated[
    Path | None, typer.Option(help="What path auto routes by, from `eval fit-router`; default: what ships.")
]

app = typer.Typer(
    help="Measure answers: ask a benchmark's questions and score what comes back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Missing(StrEnum):
    """What becomes of items whose audio is not there."""

    SKIP = "skip"
    FAIL = "fail"


@app.callback()
def _group() -> None:
    """Keep `run` a command with a name."""


@app.command()
def run(
    *,
    path: Annotated[
        str, typer.Option(help="Way from question to answer: text (hears nothing), cascade, lalm or auto.")
    ] = "cascade",
    llm: Annotated[str | None, typer.Option(help="LLM that reads, such as phi-4; a wrong name lists all.")] = None,
    llm_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server that runs the LLM.")] = None,
    captioner: Annotated[str | None, typer.Option(help="Captioner that describes the clips.")] = None,
    asr: Annotated[str | None, typer.Option(help="Recogniser that transcribes the clips.")] = None,
    lalm: Annotated[
        str | None,
        typer.Option(help="Audio-language model that hears, on paths lalm and auto; default: earwitness-tiny."),
    ] = None,
    lalm_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server that runs the LALM.")] = None,
    server: Annotated[str | None, typer.Option(help="Running Earwitness service to ask instead.")] = None,
    bench: Annotated[
        str, typer.Option(help="Benchmark by name, or a .json or .jsonl file in the MMAU, MMAR or AKB schema.")
    ] = "mmau",
    audio_root: Annotated[Path | None, typer.Option(help="Folder that the clips' paths start from.")] = None,
    missing: Annotated[
        Missing, typer.Option(help="Clips that are not there: ask nothing, or ask the rest and count them failed.")
    ] = Missing.FAIL,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first items.")] = None,
    control: Annotated[
        list[str] | None, typer.Option(help="Control to run as well; may be repeated, a wrong name lists all.")
    ] = None,
    probe_items: Annotated[int, typer.Option(min=1, help="Items that the audio probes ask.")] = 50,
    budget: Annotated[
        int | None,
        typer.Option(min=0, help="Times that an unsure answer may ask its ears again; default: 1 on auto, else 0."),
    ] = None,
    rotations: Rotations = None,
    router: RouterFile = None,
    seed: Annotated[int, typer.Option(help="Seed of what controls draw at random.")] = 0,
    price: Annotated[
        str | None, typer.Option(help="Dollars per million tokens read/written, such as 0.15/0.60.")
    ] = None,
    abstain: Annotated[
        float | None, typer.Option(min=0, max=1, help="Also report accuracy without answers less sure than this.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Items in flight at once.")] = 32,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/, named after the options.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask failed items again.")] = False,
) -> None:
    """Ask a benchmark's questions and score the answers; the same command goes on where it stopped."""
    from eval.run import session
    from eval.run.request import Price, RunRequest

    request = RunRequest(
        path=path,
        bench=bench,
        llm=llm,
        llm_url=llm_url,
        captioner=captioner,
        asr=asr,
        lalm=lalm,
        lalm_url=lalm_url,
        server=server,
        limit=limit,
        audio_root=audio_root,
        missing=missing.value,
        controls=tuple(dict.fromkeys(control or ())),
        num_probed=probe_items,
        seed=seed,
        budget=budget,
        rotations=rotations,
        router=str(router) if router else None,
        price=Price.read(price) if price else None,
        abstain=abstain,
        concurrency=concurrency,
        out=out,
        retry_failed=retry_failed,
    )
    _report(session.run(request), request.options().budget or 0)


@app.command()
def score(
    predictions: Annotated[Path, typer.Argument(help="JSON list or JSON lines of predictions, or a run folder.")],
    *,
    bench: Annotated[str, typer.Option(help="Benchmark that the predictions answer.")] = "mmau",
    key: Annotated[
        str | None,
        typer.Option(help="Key of the prediction; default: model_prediction, model_output or answer_prediction."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")] = False,
) -> None:
    """Score anybody's prediction file: officially, and by strict reading.

    A row needs id, choices, answer and a prediction; nothing is joined, and no row leaves the denominator.
    """
    from eval.analysis.score import print_score, score_file

    scored = score_file(predictions, bench, key)
    if json:
        print(scored.model_dump_json())  # noqa: T201
    else:
        print_score(predictions.name, scored, terminal())


@app.command()
def grid(
    *,
    llm: Annotated[str, typer.Option(help="LLMs that read, separated by commas.")],
    captioner: Annotated[str, typer.Option(help="Captioners that describe, separated by commas.")] = "",
    lalm: Annotated[str, typer.Option(help="On path lalm: the LALM made of each LLM, in the same order.")] = "",
    asr: Annotated[str | None, typer.Option(help="Recogniser that transcribes the clips.")] = None,
    path: Annotated[str, typer.Option(help="cascade, text (hears nothing) or lalm.")] = "cascade",
    llm_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server that runs the LLMs.")] = None,
    lalm_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server that runs the LALMs.")] = None,
    bench: Annotated[str, typer.Option(help="Benchmark by name, or a file.")] = "mmau",
    audio_root: Annotated[Path | None, typer.Option(help="Folder that the clips' paths start from.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first items.")] = None,
    price: Annotated[
        str | None, typer.Option(help="Dollars per million tokens read/written, such as 0.15/0.60.")
    ] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Items in flight at once.")] = 32,
    out: Annotated[Path | None, typer.Option(help="Folder of the grid; each cell is a run folder in it.")] = None,
) -> None:
    """Run every captioner with every LLM, or the LALM of every LLM: a table, a heat-map and what it cost.

    Each clip is perceived once per captioner. The same command goes on where it stopped.
    """
    from eval.run import grid as grids
    from eval.run.request import Price, RunRequest

    request = RunRequest(
        path=path,
        bench=bench,
        llm_url=llm_url,
        lalm_url=lalm_url,
        asr=asr,
        limit=limit,
        audio_root=audio_root,
        price=Price.read(price) if price else None,
        concurrency=concurrency,
        out=out,
    )
    done = grids.run_grid(request, _names(llm), _names(captioner), _names(lalm))
    console = terminal()
    grids.print_grid(done, console)
    console.print(f"Heat-map: {grids.draw(done)}", highlight=False, soft_wrap=True)
    if not all(cell.is_complete for cell in done.cells):
        leave_now(NOTHING_WORKED if any(cell.error for cell in done.cells) else INTERRUPTED)


def _names(listed: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in listed.split(",") if name.strip()))


@app.command()
def rubric(
    folder: Annotated[Path, typer.Argument(help="Folder of a run over MMAR.")],
    *,
    judge: Annotated[str, typer.Option(help="LLM that rates; MMAR's own judge is gpt-4o-2024-11-20.")] = "gpt-4o",
    judge_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server that runs the judge.")] = None,
    raters: Annotated[int, typer.Option(min=3, help="Ratings of each item; the two outermost are dropped.")] = 5,
    concurrency: Annotated[int, typer.Option(min=1, help="Ratings in flight at once.")] = 8,
) -> None:
    """Rate the reasoning behind MMAR's answers by its rubric; the same command goes on where it stopped."""
    import asyncio

    from eval.analysis.rubric import rate_run
    from services.catalog import open_llm

    scored = asyncio.run(rate_run(folder, open_llm(judge, judge_url), num_raters=raters, concurrency=concurrency))
    print(scored.model_dump_json(indent=1))  # noqa: T201


analysis_cli.register(app)
akb_cli.register(app)


def _report(outcome: "Outcome", budget: int) -> None:
    from eval.display.results import print_table

    console = terminal()
    print_table(outcome.folder.name, outcome.summary, console)
    if budget:
        _report_budget(outcome.folder, budget)
    console.print(f"Run folder: {outcome.folder}", highlight=False, soft_wrap=True)
    if outcome.summary.failed:
        console.print("The same command with --retry-failed asks the failed items again.")
    if not outcome.is_complete:
        console.print(f"{outcome.summary.n} of {outcome.num_items} items; the same command asks the rest.")
        leave_now(INTERRUPTED)
    if outcome.summary.failed == outcome.num_items:
        raise typer.Exit(NOTHING_WORKED)


def _report_budget(folder: Path, budget: int) -> None:
    from eval.analysis.budget import curves, draw, print_curves
    from eval.store.stored import read_predictions

    found = curves(read_predictions(folder), budget)
    print_curves(found, terminal())
    terminal().print(f"Accuracy against budget: {draw(found, folder)}", highlight=False, soft_wrap=True)


def main(arguments: list[str] | None = None) -> None:
    """Run `eval`; an error that the user can mend is one line on stderr and exit code 2."""
    try:
        app(arguments, prog_name="eval")
    except EarwitnessError as error:
        print(f"eval: {error}", file=sys.stderr)  # noqa: T201
        sys.exit(UNUSABLE)


def run_main() -> None:
    """Run `eval run`, where a shell executes `run` for it."""
    main(["run", *sys.argv[1:]])
