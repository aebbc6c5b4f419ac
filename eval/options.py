"""Command-line options that `ask`, `earwitness eval run` and `earwitness eval grid` share, declared once in groups.

A group is a frozen dataclass whose fields are Typer options. `with_groups` gives a command the fields of its groups as
flags of its own, because Typer knows no groups: the command takes each group as one parameter. `config` reads the
values of flags from a YAML file.
"""

import inspect
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import StrEnum
from functools import partial, wraps
from pathlib import Path
from shutil import get_terminal_size
from types import NoneType
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin

import typer

from services.errors import BadConfig

model_option = partial(typer.Option, rich_help_panel="Models")
answering_option = partial(typer.Option, rich_help_panel="Answering")
benchmark_option = partial(typer.Option, rich_help_panel="Benchmark")
control_option = partial(typer.Option, rich_help_panel="Controls")
run_option = partial(typer.Option, rich_help_panel="Run")
output_option = partial(typer.Option, rich_help_panel="Output")

COLUMNS = get_terminal_size().columns
IS_NARROW = COLUMNS < 80  # there Rich would cut words off, and Click by itself writes lines of 50 characters
HELP_STYLE: Literal["rich"] | None = None if IS_NARROW else "rich"
HELP_CONTEXT = {"help_option_names": ["-h", "--help"], "terminal_width": COLUMNS if IS_NARROW else None}
"""`context_settings` of an app."""


def make_app(about: str) -> typer.Typer:
    """Make the app of a command, which `about` says the use of."""
    return typer.Typer(
        help=about,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings=HELP_CONTEXT,
        rich_markup_mode=HELP_STYLE,
    )


class MissingAudio(StrEnum):
    """What becomes of items whose audio is not there."""

    SKIP = "skip"
    FAIL = "fail"


class Grouping(StrEnum):
    """Groups of items that have a table of their own."""

    CATEGORY = "category"
    SUB_CATEGORY = "sub-category"
    DIFFICULTY = "difficulty"
    MODALITY = "modality"


class ExportForm(StrEnum):
    """Forms of other tools that results are written in."""

    LM_EVAL = "lm-eval"
    INSPECT = "inspect"


class Tracker(StrEnum):
    """Experiment trackers that results are logged to."""

    MLFLOW = "mlflow"
    WANDB = "wandb"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """Models by name, and the servers that run them."""

    llm: Annotated[
        str | None,
        model_option(
            help="LLM that reads, such as phi-4; `earwitness models list --all` lists the names.",
            show_default="qwen2.5-coder-1.5b",
        ),
    ] = None
    llm_url: Annotated[
        str | None,
        model_option(help="OpenAI-compatible server that runs the LLM.", show_default="it runs here"),
    ] = None
    captioner: Annotated[
        str | None, model_option(help="Captioner that describes the clips.", show_default="acoustic")
    ] = None
    asr: Annotated[
        str | None, model_option(help="Recogniser that transcribes the clips.", show_default="whisper-base")
    ] = None
    lalm: Annotated[
        str | None,
        model_option(
            help="Audio-language model of the paths lalm, informed, auto and both.",
            show_default="earwitness-tiny",
        ),
    ] = None
    lalm_url: Annotated[
        str | None,
        model_option(help="OpenAI-compatible server that runs the LALM.", show_default="it runs here"),
    ] = None
    include: Annotated[
        list[str] | None,
        model_option(
            help="Python file that defines your own models or benchmarks, which can then be named; may be repeated.",
            show_default="none",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweringOptions:
    """The path from question to answer, and how it is taken."""

    path: Annotated[
        str,
        answering_option(
            help="Path from question to answer: cascade, lalm, informed (a LALM that reads evidence too), auto or text "
            "(hears nothing); `ask` also takes both."
        ),
    ] = "cascade"
    budget: Annotated[
        int | None,
        answering_option(
            min=0,
            help="How often an unsure answer may listen again with a tool.",
            show_default="1; 0 on path cascade of benchmarks",
        ),
    ] = None
    summary: Annotated[
        Literal["none", "perception", "tools"] | None,
        answering_option(
            help="What a LALM that takes text reads beside the recording on the paths informed, auto and both: none, "
            "perception (what was heard at first) or tools (with what listening again found).",
            show_default="perception; none on auto and both",
        ),
    ] = None
    planner: Annotated[
        Literal["classifier", "llm"] | None,
        answering_option(
            help="Who chooses the tool that listens again: a classifier of questions, or the LLM, where it can be held "
            "to a JSON schema.",
            show_default="classifier",
        ),
    ] = None
    rotations: Annotated[
        int | None,
        answering_option(
            min=1, max=26, help="Orders of the options to average over.", show_default="what suits the LLM"
        ),
    ] = None
    router: Annotated[
        Path | None,
        answering_option(
            help="Router of path auto, from `earwitness eval fit-router`.", show_default="the one that ships"
        ),
    ] = None
    calibration: Annotated[
        Path | None,
        answering_option(
            help="Calibration temperatures for the probabilities of these models: the folder of an "
            "`eval run`, or the calibration.json in it; default: those that ship."
        ),
    ] = None
    explain: Annotated[
        bool,
        answering_option(
            "--explain",
            help="Give reasons: claims that cite evidence, each checked; `ask` also prints each step with its seconds.",
        ),
    ] = False


AudioRoot: TypeAlias = Annotated[
    Path | None,
    benchmark_option(help="Folder that the clips' paths start from.", show_default="the benchmark file's"),
]
Fields: TypeAlias = Annotated[
    list[str] | None,
    benchmark_option(
        metavar="NAME=FIELD",
        help="Field of such a file, such as answer=label or choices=a,b,c; may be repeated.",
        show_default="they are found",
    ),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOptions:
    """The questions that are asked."""

    bench: Annotated[
        str,
        benchmark_option(help="Benchmark by name, or a file of questions: JSON, JSON lines, CSV or Parquet."),
    ] = "mmau"
    audio_root: AudioRoot = None
    missing: Annotated[
        MissingAudio,
        benchmark_option(
            help="Where clips are missing, ask nothing (fail), or ask the rest and count these as failed (skip)."
        ),
    ] = MissingAudio.FAIL
    fields: Fields = None
    limit: Annotated[int | None, benchmark_option(min=1, help="Ask only the first items.", show_default="all")] = None
    sample: Annotated[
        int | None,
        benchmark_option(min=1, help="Ask a random sample of so many items, each task its share.", show_default="all"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelOptions:
    """The labelled recordings that a model is probed with, and how they are split."""

    label: Annotated[
        str, benchmark_option(help="Class of each recording: answer, category, task …, or any field of the file.")
    ]
    bench: Annotated[
        str | None,
        benchmark_option(help="Benchmark or file of labelled recordings.", show_default="the run's, if it is a run"),
    ] = None
    audio_root: AudioRoot = None
    fields: Fields = None
    folds: Annotated[
        int,
        run_option(min=2, help="Folds of recordings, of which a class needs as many; of classes in `probe-text`."),
    ] = 5
    seed: Annotated[int, run_option(help="Seed of the folds, the probe and the control.")] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AskingOptions:
    """How often, and in which words, the questions are put."""

    repeats: Annotated[
        int,
        run_option(min=1, help="Times to ask everything: with other seeds, or else with the options in other orders."),
    ] = 1
    temperature: Annotated[
        float | None,
        run_option(min=0, help="Sampling temperature of the LLM's replies.", show_default="nothing is sampled"),
    ] = None
    prompt_form: Annotated[
        str | None,
        run_option(help="Prompt format of another harness; an unknown name lists all.", show_default="ours"),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgingOptions:
    """Who scores open answers."""

    judge: Annotated[
        list[str] | None,
        model_option(
            help="LLM that scores open answers against their references, as NAME or NAME=URL of its server; may be "
            "repeated: the first one's verdicts count, and the agreement of two is reported.",
            show_default="none, and open questions count as failed",
        ),
    ] = None
    judge_url: Annotated[
        str | None, model_option(help="Server of the judges that name none.", show_default="they run here")
    ] = None


def _read_config(context: typer.Context, file: Path | None) -> Path | None:
    """Make what a YAML file says the defaults of the command's flags; what the command line says wins."""
    if file is not None:
        from pydantic import create_model

        from services.types import Value
        from services.yaml_file import read_config

        assert context.command.callback is not None
        parameters = inspect.signature(context.command.callback).parameters.values()
        flags: dict[str, Any] = {flag.name: (_find_type(flag), None) for flag in parameters if flag.name != "config"}
        kind = create_model("RunConfig", __base__=Value, **flags)
        context.default_map = read_config(file, kind).model_dump(exclude_unset=True)
    return file


def _find_type(flag: inspect.Parameter) -> Any:  # noqa: ANN401 - an annotation
    """Return what a YAML file may hold for a flag: exactly its type, where the command line knows text alone."""
    from pydantic import Field, Strict

    annotation, option = get_args(flag.annotation)
    kind: Any = next(kind for kind in (*get_args(annotation), annotation) if kind is not NoneType)
    if option.parser is not None:
        return int | str
    if get_origin(kind) is Literal:
        return kind
    (element,) = get_args(kind) or (kind,)
    if issubclass(element, StrEnum):
        names: Any = Literal[tuple(one.value for one in element)]
        return names if element is kind else list[names]
    bounds = Field(ge=option.min, le=option.max)
    strict: Any = Annotated[str if kind is Path else kind, Strict(), bounds]
    return list[strict] if get_origin(annotation) is list else strict


Json: TypeAlias = Annotated[bool, output_option("--json", help="Print one JSON object and nothing else on stdout.")]
Quiet: TypeAlias = Annotated[bool, output_option("--quiet", help="Show no progress on stderr.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOptions:
    """How a run is carried out, and where its results go."""

    config: Annotated[
        Path | None,
        run_option(
            help="YAML file with the values of flags, such as `probe_items: 20`; flags given here win.",
            is_eager=True,
            callback=_read_config,
        ),
    ] = None
    concurrency: Annotated[int, run_option(min=1, help="Items in flight at once.")] = 32
    retry_failed: Annotated[bool, run_option("--retry-failed", help="Ask failed items again.")] = False
    price: Annotated[
        str | None,
        output_option(help="Dollars per million tokens read/written, such as 0.15/0.60."),
    ] = None
    out: Annotated[
        Path | None,
        output_option(help="Folder for the results; default: runs/, named after the options."),
    ] = None
    export: Annotated[
        list[ExportForm] | None,
        output_option(help="Also write the results as lm-eval or inspect do; may be repeated.", show_default="neither"),
    ] = None
    track: Annotated[
        list[Tracker] | None,
        output_option(help="Also log options and figures to a tracker that is installed.", show_default="neither"),
    ] = None
    quiet: Quiet = False


ALL = 0
"""Amount that stands for "all" on the command line."""


def parse_amount(text: str | int) -> int:
    """Read a number from 1 on, or "all"."""
    if text == "all":
        return ALL
    if not str(text).isdecimal() or int(text) < 1:
        raise typer.BadParameter(f"{text!r} is neither a number from 1 on nor all.")
    return int(text)


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command as Typer needs it: each group among its parameters replaced by the group's fields."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for parameter in inspect.signature(command).parameters.values():
        if is_dataclass(parameter.annotation):
            groups[parameter.name] = parameter.annotation
            parameters += [
                inspect.Parameter(
                    one.name,
                    parameter.kind,
                    default=inspect.Parameter.empty if one.default is MISSING else one.default,
                    annotation=one.type,
                )
                for one in fields(parameter.annotation)
            ]
        else:
            parameters.append(parameter)

    @wraps(command)
    def run_grouped(**given: Any) -> None:  # noqa: ANN401 - whatever the flags are
        """Collect flat parameters into their groups, and call the command; a text may not be empty."""
        if empty := next((name for name, value in given.items() if value == ""), None):
            raise BadConfig(
                f"--{empty.replace('_', '-')} is empty, as where a variable of the shell is not set: give it a value, "
                "or leave it out."
            )
        grouped = {
            name: group(**{one.name: given.pop(one.name) for one in fields(group)}) for name, group in groups.items()
        }
        command(**given, **grouped)

    vars(run_grouped)["__signature__"] = inspect.Signature(parameters)
    return run_grouped
