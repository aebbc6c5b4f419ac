"""The command `earwitness`: parse, call, print.

earwitness ask clip.wav "What is heard?" --choice "A dog" --choice "Rain"
earwitness ask takes/ 'more/*.flac' -q "What is heard?"
earwitness listen clip.wav times-said --phrase no
earwitness serve --port 8000
earwitness mcp --folder takes
earwitness eval run --path cascade --bench mmau
earwitness keys new | list | revoke NAME
earwitness models list | pull | verify | rm
"""

import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeAlias

import typer

from eval import cli as eval_cli
from eval.display.terminal import leave_now
from eval.options import (
    HELP_STYLE,
    AnsweringOptions,
    Json,
    ModelOptions,
    Quiet,
    answering_option,
    make_app,
    model_option,
    output_option,
    with_groups,
)
from eval.usage import run_app
from services.errors import EarwitnessError, TookTooLong
from services.terminal.command import UNUSABLE, explain_surroundings
from services.terminal.counts import format_count
from services.terminal.display import show_progress
from services.terminal.interruption import end_on_interrupt, keep_on_interrupt

if TYPE_CHECKING:
    from deploy.console.ask import AskRequest

LOCAL = Path(__file__).with_name("serve.local.yaml")

app = make_app("Answers questions about audio, with the evidence: a captioner and a recogniser hear, an LLM reads.")
models_app = typer.Typer(
    help="List, fetch, check and remove the embedded models and the demo clips.", rich_markup_mode=HELP_STYLE
)
app.add_typer(models_app, name="models", no_args_is_help=True)
keys_app = typer.Typer(help="The API keys that `earwitness serve` accepts.", rich_markup_mode=HELP_STYLE)
app.add_typer(keys_app, name="keys", no_args_is_help=True)
app.add_typer(eval_cli.app, name="eval")


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"earwitness {version('earwitness')}")  # noqa: T201
        raise typer.Exit


@app.callback()
def _group(
    *,
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    """Hold what all commands have."""


Asked: TypeAlias = Annotated[
    list[str],
    typer.Argument(
        metavar="RECORDING",
        help="The recording, in any format that FFmpeg plays, or several, and the question about them together. With "
        "-q: one or more recordings, folders of them, and patterns such as 'takes/*.wav'.",
        show_default=False,
    ),
]
AskedOfEach: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--question",
        "-q",
        help="What to ask about each recording by itself; prints a line of JSON for each.",
        show_default="the last argument",
    ),
]
Choices: TypeAlias = Annotated[
    list[str] | None, typer.Option(help="An option; give each once.", show_default="none, an open question")
]
Deadline: TypeAlias = Annotated[
    float | None,
    answering_option(
        min=0.1,
        help="Seconds for the answer once the models are loaded; what is late is left out.",
        show_default="none",
    ),
]


@app.command()
@with_groups
def ask(
    asked: Asked,
    *,
    question: AskedOfEach = None,
    choice: Choices = None,
    server: Annotated[
        str | None, model_option(help="Running Earwitness service to ask.", show_default="models are opened here")
    ] = None,
    models: ModelOptions,
    answering: AnsweringOptions,
    deadline: Deadline = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Ask about recordings together (`ask RECORDING... QUESTION`), or about each (`ask RECORDING... -q QUESTION`)."""
    from deploy.console.ask import AskRequest
    from services.http.options.option_lines import Split, split_options
    from services.http.options.unread_options import warn_of_unread_options

    *clips, last = asked if question is None else (*asked, question)
    split = Split(last, tuple(choice)) if choice else split_options(last)
    for warning in () if choice else warn_of_unread_options(split):
        typer.echo(f"Warning: {warning}", err=True)
    request = AskRequest(
        question=split.question,
        choices=split.options,
        models=models,
        answering=answering,
        server=server,
        deadline_s=deadline,
    )
    if question is None:
        _ask_once(request, clips, json=json, quiet=quiet)
    else:
        _ask_about_each(request, clips, quiet=quiet)


def _ask_once(request: "AskRequest", clips: list[str], *, json: bool, quiet: bool) -> None:
    from deploy.console.ask import ask, keep_stdout
    from deploy.console.recordings import require_named
    from deploy.console.show import print_found

    recordings = require_named(clips, request.question)
    with keep_stdout() as stdout:
        with show_progress(quiet=quiet):
            found = ask(request, *recordings)
        if json:
            print(found.shown.model_dump_json(), file=stdout)
        else:
            print_found(request, found, stdout)
    if request.deadline_s is not None and (found.missing or any(one.degraded for one in found.answers)):
        leave_now(0)  # a model that is late may be busy for minutes


def _ask_about_each(request: "AskRequest", named: list[str], *, quiet: bool) -> None:
    from deploy.console.ask import ask_each, keep_stdout
    from deploy.console.recordings import find_recordings
    from deploy.console.show import format_line

    clips, num_failed = find_recordings(named), 0
    with keep_stdout() as stdout:
        for one in ask_each(request, clips, quiet=quiet):
            print(format_line(one), file=stdout, flush=True)
            num_failed += isinstance(one.result, EarwitnessError)
    if num_failed:
        print(  # noqa: T201
            f"earwitness: {num_failed} of {format_count(len(clips), 'recording')} have no answer; the "
            "`error` in their lines says why.",
            file=sys.stderr,
        )
    if request.deadline_s is not None:
        leave_now(UNUSABLE if num_failed else 0)  # a model that is late may be busy for minutes
    if num_failed:
        raise typer.Exit(UNUSABLE)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def listen(
    context: typer.Context,
    clip: Annotated[
        str | None, typer.Argument(metavar="RECORDING", help="The recording.", show_default="lists the tools")
    ] = None,
    tool: Annotated[
        str | None,
        typer.Argument(
            help="Tool, followed by its arguments, such as `times-said --phrase no`.", show_default="lists them"
        ),
    ] = None,
    *,
    other: Annotated[
        Path | None, typer.Option(help="Second recording, for the tool compare.", show_default="none")
    ] = None,
    save: Annotated[
        Path | None,
        output_option(help="WAV file for the recording that a tool makes, such as denoise.", show_default="none"),
    ] = None,
    captioner: Annotated[str | None, model_option(help="Captioner that describes.", show_default="acoustic")] = None,
    asr: Annotated[str | None, model_option(help="Recogniser that transcribes.", show_default="whisper-base")] = None,
    lalm: Annotated[
        str | None, model_option(help="Audio-language model that the tool span asks as well.", show_default="none")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Listen to a recording with one tool of the agent; without a tool, list the tools."""
    from deploy.console.ask import keep_stdout
    from deploy.console.listen import ListenRequest, listen, print_report, print_tools
    from deploy.console.recordings import parse_path

    if clip is None or tool is None:
        print_tools(sys.stdout, as_json=json)
        return
    request = ListenRequest(
        clip=parse_path(clip),
        tool=tool,
        flags=tuple(context.args),
        other=other,
        captioner=captioner,
        asr=asr,
        lalm=lalm,
        save=save,
    )
    with keep_stdout() as stdout:
        with show_progress(quiet=quiet, transient=True):
            report = listen(request)
        if json:
            print(report.model_dump_json(), file=stdout)
        else:
            print_report(report, stdout)


@app.command()
def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; any other than loopback needs API keys.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
    config: Annotated[
        Path, typer.Option(help="Which models, which limits, how many replicas.", show_default="serve.local.yaml")
    ] = LOCAL,
    include: Annotated[
        list[str] | None,
        typer.Option(
            help="Python file that defines your own models, which the configuration can then name.", show_default="none"
        ),
    ] = None,
    quiet: Quiet = False,
) -> None:
    """Serve the HTTP API until Ctrl-C; SIGUSR1 reloads the configuration."""
    from deploy import serving
    from deploy.config import read_serve_config

    serving.serve(lambda: read_serve_config(config, include or ()), host, port, quiet=quiet)


@app.command("mcp")
@with_groups
def serve_mcp(
    *,
    folder: Annotated[
        list[Path],
        typer.Option(
            help="Folder of recordings that may be used; links that lead out of it are refused. May be repeated."
        ),
    ],
    path: Annotated[
        str, answering_option(help="Path that answers where the client names none: cascade, lalm, informed or auto.")
    ] = "cascade",
    models: ModelOptions,
) -> None:
    """Serve recordings to other programs' agents, over the Model Context Protocol on stdin and stdout."""
    from deploy.mcp_server.stdio import open_models, serve_stdio

    serve_stdio(open_models(models), path, folder)


@app.command("demo")
def put_demo(folder: Annotated[Path, typer.Argument(help="Folder for clips and demo.json.")] = Path("demo")) -> None:
    """Write the demo clips, questions about them as a benchmark file, and a small training configuration."""
    from deploy.console.demo import write_demo

    print(f"Demo clips and questions: {write_demo(folder)}")  # noqa: T201


@keys_app.command("new")
def make_key(name: Annotated[str, typer.Argument(help="Name of the owner of the key.")]) -> None:
    """Make an API key and print it once; only its hash is kept."""
    from deploy.console.keys import add_key

    made = add_key(name)
    print(made.secret)  # noqa: T201
    print(f"The hash is in {made.path}; a running server knows the key within a second.", file=sys.stderr)  # noqa: T201


@keys_app.command("list")
def list_keys() -> None:
    """List the names of the keys; the keys themselves are not stored."""
    from services.http.access.auth import list_keys

    for key in list_keys():
        print(key.name)  # noqa: T201


@keys_app.command("revoke")
def revoke_key(name: Annotated[str, typer.Argument(help="Name of the owner of the key.")]) -> None:
    """Revoke an API key."""
    from deploy.console.keys import remove_key

    path = remove_key(name)
    print(f"It is out of {path}; a running server refuses the key within a second.", file=sys.stderr)  # noqa: T201


@models_app.command("list")
def list_models(
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="List every name that --llm, --captioner, --asr and --lalm know as well.")
    ] = False,
) -> None:
    """List the models that can be fetched, and whether they are here."""
    from deploy.console.show import print_names, print_weights
    from eval.display.terminal import open_terminal

    print_weights(open_terminal())
    if everything:
        print_names(open_terminal())


@models_app.command("pull")
def pull_models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of models.", show_default="what the defaults and the demo need")
    ] = None,
    *,
    quiet: Quiet = False,
) -> None:
    """Fetch models, check them, convert them where their format asks for it."""
    from deploy.console.stock import list_needed
    from services.weights import store as weights

    wanted = tuple(names or list_needed())
    for name in wanted:
        weights.find_weights(name)
    with keep_on_interrupt(lambda: "what came whole is kept, and the same command fetches the rest"):
        for name in wanted:
            with show_progress(quiet=quiet, transient=True):
                folder = weights.pull(name)
            print(f"{name}: ready in {folder}", flush=True)  # noqa: T201


@models_app.command("rm")
def remove_models(names: Annotated[list[str], typer.Argument(help="Names of models.")]) -> None:
    """Remove fetched models from the disk; whatever needs one again fetches it again."""
    from services.weights import store as weights

    for name in names:
        print(f"{name}: removed, {weights.remove(name) / 1e6:,.0f} MB")  # noqa: T201


@models_app.command("verify")
def verify_models(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names of models.", show_default="all that are here")
    ] = None,
) -> None:
    """Check the files of fetched models against the checksums taken when they were fetched."""
    from deploy.console.stock import list_fetched
    from services.errors import ModelError
    from services.weights import store as weights

    damaged = []
    for name in names or list_fetched():
        if changed := weights.verify(name):
            damaged.append(name)
        print(f"{name}: {', '.join(changed) + ' changed' if changed else 'every file is as it was fetched'}")  # noqa: T201
    if damaged:
        raise ModelError(f"Damaged: {', '.join(damaged)}. `earwitness models pull {' '.join(damaged)}` repairs them.")


def main(arguments: list[str] | None = None) -> None:
    """Run `earwitness`; an error that the user can fix is one line on stderr and exit code 2."""
    try:
        with end_on_interrupt("earwitness"), explain_surroundings():
            run_app(app, arguments, "earwitness")
    except EarwitnessError as error:
        print(f"earwitness: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        if isinstance(error, TookTooLong):
            leave_now(UNUSABLE)  # a model that is late may be busy for minutes
        sys.exit(UNUSABLE)


if __name__ == "__main__":
    main()
