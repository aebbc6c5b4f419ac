"""Command-line options that `ask`, `eval run` and `eval grid` share, declared once in groups.

A group is a frozen dataclass whose fields are Typer options. `with_groups` gives a command the fields of its groups as
flags of its own, because Typer knows no groups: the command takes each group as one parameter. `config` reads the
values of flags from a YAML file.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

MODELS, ANSWERING, BENCHMARK, CONTROLS, RUN, OUTPUT = "Models", "Answering", "Benchmark", "Controls", "Run", "Output"


class MissingAudio(StrEnum):
    """What becomes of items whose audio is not there."""

    SKIP = "skip"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """Models by name, and the servers that run them."""

    llm: Annotated[
        str | None,
        typer.Option(help="LLM that reads, such as phi-4; a wrong name lists all.", rich_help_panel=MODELS),
    ] = None
    llm_url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible server that runs the LLM.", rich_help_panel=MODELS)
    ] = None
    captioner: Annotated[
        str | None, typer.Option(help="Captioner that describes the clips.", rich_help_panel=MODELS)
    ] = None
    asr: Annotated[str | None, typer.Option(help="Recogniser that transcribes the clips.", rich_help_panel=MODELS)] = (
        None
    )
    lalm: Annotated[
        str | None,
        typer.Option(
            help="Audio-language model that hears, on every path but text and cascade; default: earwitness-tiny.",
            rich_help_panel=MODELS,
        ),
    ] = None
    lalm_url: Annotated[
        str | None, typer.Option(help="OpenAI-compatible server that runs the LALM.", rich_help_panel=MODELS)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweringOptions:
    """The path from question to answer, and how it is taken."""

    path: Annotated[
        str,
        typer.Option(
            help="Path from question to answer: cascade, lalm, auto or text (hears nothing); `ask` also takes both.",
            rich_help_panel=ANSWERING,
        ),
    ] = "cascade"
    budget: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Follow-up questions that an unsure answer may ask its ears; default: 1, on path cascade of "
            "benchmarks 0.",
            rich_help_panel=ANSWERING,
        ),
    ] = None
    rotations: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=26,
            help="Orders of the options to average over; default: what suits the LLM.",
            rich_help_panel=ANSWERING,
        ),
    ] = None
    router: Annotated[
        Path | None,
        typer.Option(
            help="Router that path auto uses, from `eval fit-router`; default: the one that ships.",
            rich_help_panel=ANSWERING,
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkOptions:
    """The questions that are asked."""

    bench: Annotated[
        str,
        typer.Option(
            help="Benchmark by name, or a .json or .jsonl file in the MMAU, MMAR or AKB schema.",
            rich_help_panel=BENCHMARK,
        ),
    ] = "mmau"
    audio_root: Annotated[
        Path | None, typer.Option(help="Folder that the clips' paths start from.", rich_help_panel=BENCHMARK)
    ] = None
    missing: Annotated[
        MissingAudio,
        typer.Option(
            help="Clips that are not there: ask nothing, or ask the rest and count them failed.",
            rich_help_panel=BENCHMARK,
        ),
    ] = MissingAudio.FAIL
    limit: Annotated[int | None, typer.Option(min=1, help="Ask only the first items.", rich_help_panel=BENCHMARK)] = (
        None
    )


def _read_config(context: typer.Context, file: Path | None) -> Path | None:
    """Make what a YAML file says the defaults of the command's flags; what the command line says wins."""
    if file is not None:
        from pydantic import create_model

        from services.types import Value
        from services.yaml_file import read_config

        flags: dict[str, Any] = {flag.name: (object, None) for flag in context.command.params if flag.name != "config"}
        kind = create_model("RunConfig", __base__=Value, **flags)
        context.default_map = read_config(file, kind).model_dump(exclude_unset=True)
    return file


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningOptions:
    """How a run is carried out, and where its results go."""

    config: Annotated[
        Path | None,
        typer.Option(
            help="YAML file with the values of flags, such as `probe_items: 20`; flags given here win.",
            is_eager=True,
            callback=_read_config,
            rich_help_panel=RUN,
        ),
    ] = None
    concurrency: Annotated[int, typer.Option(min=1, help="Items in flight at once.", rich_help_panel=RUN)] = 32
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Ask failed items again.", rich_help_panel=RUN)
    ] = False
    price: Annotated[
        str | None,
        typer.Option(help="Dollars per million tokens read/written, such as 0.15/0.60.", rich_help_panel=OUTPUT),
    ] = None
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the results; default: runs/, named after the options.", rich_help_panel=OUTPUT),
    ] = None


Json: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print one JSON object and nothing else on stdout.", rich_help_panel=OUTPUT)
]


def with_groups(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command as Typer needs it: each group among its parameters replaced by the group's fields."""
    parameters: list[inspect.Parameter] = []
    groups: dict[str, Any] = {}
    for parameter in inspect.signature(command).parameters.values():
        if is_dataclass(parameter.annotation):
            groups[parameter.name] = parameter.annotation
            parameters += [
                inspect.Parameter(one.name, parameter.kind, default=one.default, annotation=one.type)
                for one in fields(parameter.annotation)
            ]
        else:
            parameters.append(parameter)

    @wraps(command)
    def flat(**given: Any) -> None:  # noqa: ANN401 - whatever the flags are
        grouped = {
            name: group(**{one.name: given.pop(one.name) for one in fields(group)}) for name, group in groups.items()
        }
        command(**given, **grouped)

    vars(flat)["__signature__"] = inspect.Signature(parameters)
    return flat
