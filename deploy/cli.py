"""The command `earwitness`: parse, call, print.

earwitness ask clip.wav "What is heard?" --choice "A dog" --choice "Rain"
earwitness serve --port 8000
earwitness eval run --path cascade --bench mmau
earwitness keys new NAME
earwitness models list | pull | verify
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from eval import cli as eval_cli
from eval.display.terminal import leave_now
from eval.options import AnsweringOptions, Json, ModelOptions, answering_option, output_option, with_groups
from services.command import UNUSABLE
from services.errors import BadConfig, EarwitnessError, TookTooLong

LOCAL = Path(__file__).with_name("serve.local.yaml")

app = typer.Typer(
    help="Answers questions about audio, with the evidence: a captioner and a recogniser hear, an LLM reads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="The embedded models and the demo clips: what is here, and fetching it.")
app.add_typer(models_app, name="models", no_args_is_help=True)
keys_app = typer.Typer(help="The API keys that `earwitness serve` accepts.")
app.add_typer(keys_app, name="keys", no_args_is_help=True)
app.add_typer(eval_cli.app, name="eval")


@app.command()
@with_groups
def ask(
    clip: Annotated[Path, typer.Argument(help="The recording: WAV, FLAC, Ogg, MP3, M4A, AAC or WebM.")],
    question: Annotated[str, typer.Argument(help="What to ask about it.")],
    *,
    choice: Annotated[
        list[str] | None, typer.Option(help="An option; once per option, none: an open question.")
    ] = None,
    models: ModelOptions,
    answering: AnsweringOptions,
    deadline: Annotated[
        float | None,
        answering_option(min=0.1, help="Seconds for the answer once the models are loaded; what is late is left out."),
    ] = None,
    explain: Annotated[
        bool,
        output_option("--explain", help="Print each step, what it said and its seconds."),
    ] = False,
    json: Json = False,
) -> None:
    """Ask a question about a recording."""
    from deploy.console.ask import AskRequest, ask, keep_stdout
    from deploy.console.show import print_found

    if json and explain:
        raise BadConfig("--json holds every step as it is: leave out --explain.")
    request = AskRequest(
        clip=clip,
        question=question,
        choices=tuple(choice or ()),
        models=models,
        answering=answering,
        deadline_s=deadline,
    )
    with keep_stdout() as stdout:
        found = ask(request)
        if json:
            shown = found if answering.path == "both" else found.answers[0]
            print(shown.model_dump_json(), file=stdout)
        else:
            print_found(request, found, stdout, explain=explain)
    if deadline is not None and (found.missing or any(one.degraded for one in found.answers)):
        leave_now(0)  # a model that is late may be busy for minutes


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; other than loopback needs API keys.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 8000,
    config: Annotated[Path, typer.Option(help="Which models, which limits, how many replicas.")] = LOCAL,
    include: Annotated[
        list[str] | None, typer.Option(help="Python file with models of yours, which the configuration can then name.")
    ] = None,
) -> None:
    """Serve the HTTP API until Ctrl-C; SIGUSR1 has the configuration read again."""
    from deploy import serving
    from deploy.config import read_serve_config

    serving.serve(lambda: read_serve_config(config, include or ()), host, port)


@app.command()
def demo(folder: Annotated[Path, typer.Argument(help="Folder for the clips and demo.json.")] = Path("demo")) -> None:
    """Write the demo clips, questions about them as a benchmark file, and a small training on them."""
    from deploy.console.demo import write_demo

    print(f"Demo clips and questions: {write_demo(folder)}")  # noqa: T201


@keys_app.callback()
def keys() -> None:
    """Keep `new` a verb of `keys`: Typer would drop the name of an only command."""


@keys_app.command("new")
def new_key(name: Annotated[str, typer.Argument(help="Whose key it is.")]) -> None:
    """Make an API key: its hash is kept, and the key itself is printed this once."""
    from deploy.console.keys import add_key

    made = add_key(name)
    print(made.secret)  # noqa: T201
    print(f"The hash is in {made.path}; a running server knows the key after a restart.", file=sys.stderr)  # noqa: T201


@models_app.command("list")
def list_models() -> None:
    """List the models that can be fetched, and whether they are here."""
    from deploy.console.show import print_weights

    print_weights(sys.stdout)


@models_app.command("pull")
def pull_models(
    names: Annotated[list[str] | None, typer.Argument(help="Default: what the defaults and the demo need.")] = None,
) -> None:
    """Fetch models, check them, convert them where their format asks for it."""
    from deploy.console.stock import list_needed
    from services.weights import store as weights

    wanted = tuple(names or list_needed())
    for name in wanted:
        weights.find_weights(name)
    for name in wanted:
        print(f"{name}: ready in {weights.pull(name)}")  # noqa: T201


@models_app.command("verify")
def verify_models(
    names: Annotated[list[str] | None, typer.Argument(help="Default: all that are here.")] = None,
) -> None:
    """Check the files of fetched models against the checksums taken when they came."""
    from deploy.console.stock import list_fetched
    from services.errors import ModelError
    from services.weights import store as weights

    damaged = []
    for name in names or list_fetched():
        if changed := weights.verify(name):
            damaged.append(name)
        print(f"{name}: {', '.join(changed) + ' changed' if changed else 'every file is as it was fetched'}")  # noqa: T201
    if damaged:
        raise ModelError(f"Damaged: {', '.join(damaged)}. `earwitness models pull {' '.join(damaged)}` mends them.")


def main(arguments: list[str] | None = None) -> None:
    """Run `earwitness`; an error that the user can mend is one line on stderr and exit code 2."""
    try:
        app(arguments, prog_name="earwitness")
    except EarwitnessError as error:
        print(f"earwitness: {' '.join(str(error).split())}", file=sys.stderr)  # noqa: T201
        if isinstance(error, TookTooLong):
            leave_now(UNUSABLE)  # a model that is late may be busy for minutes
        sys.exit(UNUSABLE)


if __name__ == "__main__":
    main()
