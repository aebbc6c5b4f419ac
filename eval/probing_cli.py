"""The verbs that look inside a LALM: probe, probe-text, forgetting."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.display.terminal import print_found
from eval.options import Json, LabelOptions, Quiet, model_option, output_option, run_option, with_groups
from services.errors import BadConfig
from services.json_lines import write_record
from services.terminal.display import show_progress

if TYPE_CHECKING:
    from eval.benchmarks.benchmark import Benchmark
    from eval.probing.labelled import LabelledSet
    from eval.probing.subject import AskedRun

DEFAULT_QUESTION = "What is heard in the recording?"


@with_groups
def probe(
    run: Annotated[
        str,
        typer.Argument(
            help="Run folder of `eval run` over path lalm, or a LALM: earwitness-tiny, or a folder of `lalm.train`."
        ),
    ],
    *,
    labels: LabelOptions,
    question: Annotated[str, run_option(help="Asked about every clip.")] = DEFAULT_QUESTION,
    out: Annotated[
        Path | None, output_option(help="Folder for the results.", show_default="the run's, or below runs/")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say where a LALM loses a sound: linear probes for a label over encoder, connector and every backbone layer.

    What a run asked is probed with its own questions' labels, and its answers are set beside the probes'.
    """
    from eval.display.probing import draw_probe, print_probe
    from eval.probing.probe import probe_lalm
    from eval.probing.subject import open_asked, open_reader
    from lalm.catalog import find_trained

    asked = open_asked(run)
    lalm = find_trained(asked.lalm if asked else run)
    own = asked if labels.bench is None else None  # what is asked of others' questions has no answers
    labelled = _read_set(own, labels)
    with show_progress(quiet=quiet):
        reader = open_reader(lalm, question)
        is_right = own.is_right if own else None
        found = probe_lalm(reader, labelled, num_folds=labels.folds, seed=labels.seed, is_right=is_right)
    folder = out or (own.folder if own else Path("runs") / f"probe-{found.lalm}")
    file = folder / f"probe-{labelled.name}-{labels.label}.json"
    write_record(file, found)
    plot = file.with_suffix(".svg")
    draw_probe(found, plot)
    print_found(found, print_probe, as_json=json, note=f"Probe: {file}; plot: {plot}")


def _read_set(own: "AskedRun | None", labels: LabelOptions) -> "LabelledSet":
    """Read the labelled recordings: of the file that is named, or those that the run asked about."""
    from eval.probing.labelled import label_clips

    if own is None:
        return label_clips(_read_benchmark(labels), labels.label, labels.folds)
    benchmark = _read_benchmark(
        replace(
            labels,
            bench=own.bench,
            audio_root=labels.audio_root or own.audio_root,
            fields=labels.fields or list(own.record.options.fields),
        )
    )
    own.require_same(benchmark.sha256)
    return label_clips(benchmark, labels.label, labels.folds, own.is_right)


def _read_benchmark(labels: LabelOptions) -> "Benchmark":
    from eval.benchmarks.fields import parse_fields
    from eval.probing.labelled import read_labels

    if labels.bench is None:
        raise BadConfig("--bench has to name the labelled recordings: the first argument is not a run folder.")
    fields = parse_fields(labels.fields) if labels.fields else None
    return read_labels(labels.bench, labels.label, labels.audio_root, fields)


@with_groups
def probe_text(
    lalm: Annotated[
        str, typer.Argument(metavar="LALM", help="earwitness-tiny, or a folder of `lalm.train`: whose encoder hears.")
    ],
    *,
    labels: LabelOptions,
    backbone: Annotated[
        str | None, model_option(help="Causal LM that reads the names.", show_default="that of the LALM")
    ] = None,
    out: Annotated[Path | None, output_option(help="JSON file to write as well.", show_default="none")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say whether the names of sounds lie to each other as the sounds do, in a backbone that never heard one."""
    from eval.display.probing import print_retrieval
    from eval.probing.labelled import label_clips
    from eval.probing.retrieval import probe_texts, read_sounds
    from eval.probing.subject import open_reader, open_text_reader
    from lalm.catalog import find_trained

    folder = find_trained(lalm)
    labelled = label_clips(_read_benchmark(labels), labels.label, 1)
    with show_progress(quiet=quiet):
        sounds = read_sounds(open_reader(folder, DEFAULT_QUESTION), labelled)
        texts = open_text_reader(folder, backbone)
        found = probe_texts(texts, sounds, labelled, num_folds=labels.folds, seed=labels.seed)
    if out:
        write_record(out, found)
    print_found(found, print_retrieval, as_json=json)


def report_forgetting(
    lalm: Annotated[str, typer.Argument(metavar="LALM", help="earwitness-tiny, or a folder of `lalm.train`.")],
    *,
    bench: Annotated[str, typer.Option(help="Benchmark of questions in text with options.")] = "akb-open",
    recording: Annotated[
        list[Path] | None,
        typer.Option(
            help="Recording that stands in the prompt; of several, the questions take turns.", show_default="silence"
        ),
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, help="Questions drawn at random, by task.", show_default="all")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of what --sample draws.")] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for the results.", show_default="below runs/")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say what a LALM forgets: questions in text with and without a recording beside them, against its bare backbone.

    The same command continues where it stopped.
    """
    from eval.benchmarks import find
    from eval.display.probing import print_forgetting
    from eval.probing.forgetting import measure_forgetting, read_carriers
    from eval.probing.subject import open_scorer
    from lalm.catalog import find_trained

    folder = find_trained(lalm)
    benchmark = find(bench).sample(sample, seed)
    carriers = read_carriers(recording or ())
    place = out or Path("runs") / f"forgetting-{folder.name}"
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"forgetting-{benchmark.name}.json"
    with show_progress(quiet=quiet):
        found = measure_forgetting(open_scorer(folder), benchmark, carriers, file.with_suffix(".jsonl"))
    write_record(file, found)
    print_found(found, print_forgetting, as_json=json, note=f"Forgetting: {file}")


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (probe, probe_text):
        app.command()(verb)
    app.command("forgetting")(report_forgetting)
