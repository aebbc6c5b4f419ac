"""The command `eval`: parse, run, print.

    eval run --path cascade --llm phi-4 --bench mmau

A shell's builtin `eval` executes its arguments, so there the command `run` is what starts; without a
shell `eval` itself does. Both are this app, and `python -m eval` too.
"""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console

from services.errors import EarwitnessError

INTERRUPTED = 130  # exit code of what Ctrl-C ended, as shells have it
NOTHING_WORKED = 1  # exit code of a run whose every item failed
UNUSABLE = 2  # exit code of what the user can mend

app = typer.Typer(
    help="Measure answers: ask a benchmark's questions and score what comes back.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def _group() -> None:
    """Keep `run` a command with a name, though it is the only one."""


@app.command()
def run(
    *,
    path: Annotated[
        str, typer.Option(help="Way from question to answer: text (hears nothing) or cascade.")
    ] = "cascade",
    llm: Annotated[str | None, typer.Option(help="LLM that reads, such as phi-4; a wrong name lists all.")] = None,
    llm_url: Annotated[str | None, typer.Option(help="OpenAI-compatible server that runs the LLM.")] = None,
    captioner: Annotated[str | None, typer.Option(help="Captioner that describes the clips.")] = None,
    asr: Annotated[str | None, typer.Option(help="Recogniser that transcribes the clips.")] = None,
    bench: Annotated[str, typer.Option(help="Benchmark by name, or a .json file in the MMAU schema.")] = "mmau",
    audio_root: Annotated[Path | None, typer.Option(help="Folder that the clips' paths start from.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first items.")] = None,
    concurrency: Annotated[int, typer.Option(min=1, help="Items in flight at once.")] = 16,
    out: Annotated[Path | None, typer.Option(help="Run folder; default: runs/, named after the options.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Ask failed items again.")] = False,
) -> None:
    """Ask a benchmark's questions over a path and score the answers.

    The same command goes on where it stopped.
    """
    from eval import session
    from eval.report import print_table

    outcome = session.run(
        session.Request(
            path=path,
            bench=bench,
            llm=llm,
            llm_url=llm_url,
            captioner=captioner,
            asr=asr,
            limit=limit,
            audio_root=audio_root,
            concurrency=concurrency,
            out=out,
            retry_failed=retry_failed,
        )
    )
    console = Console()
    print_table(outcome.folder.name, outcome.summary, console)
    console.print(f"Run folder: {outcome.folder}", highlight=False, soft_wrap=True)
    if outcome.summary.failed:
        console.print("The same command with --retry-failed asks the failed items again.")
    if outcome.summary.n < outcome.num_items:
        console.print(f"{outcome.summary.n} of {outcome.num_items} items; the same command asks the rest.")
        _leave_now(INTERRUPTED)
    if outcome.summary.failed == outcome.num_items:
        raise typer.Exit(NOTHING_WORKED)


def _leave_now(code: int) -> NoReturn:
    """End the process without waiting for models that are busy in their threads; all results are on disk."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


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
