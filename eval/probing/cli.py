"""The verbs that look inside a LALM: probe, probe-text, forgetting."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.display.terminal import open_terminal
from eval.options import Json, Quiet
from services.errors import BadConfig
from services.terminal.display import show_progress

if TYPE_CHECKING:
    from eval.probing.labelled import LabelledSet
    from eval.probing.subject import AskedRun

DEFAULT_QUESTION = "What is heard in the recording?"


def probe(
    run: Annotated[
        str,
        typer.Argument(
            help="Run folder of `eval run` over path lalm, or a LALM: earwitness-tiny, or a folder of `lalm.train`."
        ),
    ],
    *,
    label: Annotated[str, typer.Option(help="Class of each recording: answer, category, task …, or any field.")],
    bench: Annotated[
        str | None, typer.Option(help="Benchmark or file of labelled recordings.", show_default="the run's")
    ] = None,
    audio_root: Annotated[
        Path | None, typer.Option(help="Folder that the clips' paths start from.", show_default="the file's")
    ] = None,
    fields: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FIELD", help="What the file calls its fields, as in `eval run`.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of recordings; a class needs as many recordings.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the folds and of the control task.")] = 0,
    question: Annotated[str, typer.Option(help="Asked about every clip.")] = DEFAULT_QUESTION,
    out: Annotated[
        Path | None, typer.Option(help="Folder for the results.", show_default="the run's, or below runs/")
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say where a LALM loses a sound: linear probes for a label over encoder, connector and every backbone layer.

    What a run asked is probed with its own questions' labels, and its answers are set beside the probes'.
    """
    from eval.probing.display import draw_probe, print_probe
    from eval.probing.probe import probe_lalm
    from eval.probing.subject import open_asked, open_reader
    from lalm.catalog import find_trained
    from services.files import write_atomic

    asked = open_asked(run)
    lalm = find_trained(asked.lalm if asked else run)
    own = asked if bench is None else None  # what is asked of others' questions has no answers
    labelled = _read_set(own, bench, label, audio_root, fields, folds)
    with show_progress(quiet=quiet):
        reader = open_reader(lalm, question)
        found = probe_lalm(reader, labelled, num_folds=folds, seed=seed, is_right=own.is_right if own else None)
    folder = out or (own.folder if own else Path("runs") / f"probe-{found.lalm}")
    file = folder / f"probe-{labelled.name}-{label}.json"
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(file, found.model_dump_json(indent=1))
    plot = file.with_suffix(".svg")
    draw_probe(found, plot)
    if json:
        print(found.model_dump_json())  # noqa: T201
    else:
        print_probe(found, open_terminal())
        open_terminal().print(f"Probe: {file}; plot: {plot}", highlight=False, soft_wrap=True)


def _read_set(
    own: "AskedRun | None", bench: str | None, label: str, audio_root: Path | None, fields: list[str] | None, folds: int
) -> "LabelledSet":
    """Read the labelled recordings: of the file that is named, or those that the run asked about."""
    from eval.benchmarks.fields import parse_fields
    from eval.probing.labelled import label_clips, read_labels

    if own is None:
        if bench is None:
            raise BadConfig("--bench has to name the labelled recordings: the first argument is not a run folder.")
        benchmark = read_labels(bench, label, audio_root, parse_fields(fields) if fields else None)
        return label_clips(benchmark, label, folds)
    given = fields or own.record.options.fields
    root = audio_root or own.audio_root
    benchmark = read_labels(own.bench, label, root, parse_fields(given) if given else None)
    own.require_same(benchmark.sha256)
    return label_clips(benchmark, label, folds, own.is_right)


def probe_text(
    lalm: Annotated[
        str, typer.Argument(metavar="LALM", help="earwitness-tiny, or a folder of `lalm.train`: whose encoder hears.")
    ],
    *,
    label: Annotated[str, typer.Option(help="Field with the name of what is heard.")],
    bench: Annotated[str, typer.Option(help="Benchmark or file of labelled recordings.")],
    backbone: Annotated[
        str | None, typer.Option(help="Causal LM that reads the names.", show_default="that of the LALM")
    ] = None,
    audio_root: Annotated[
        Path | None, typer.Option(help="Folder that the clips' paths start from.", show_default="the file's")
    ] = None,
    fields: Annotated[
        list[str] | None, typer.Option(metavar="NAME=FIELD", help="What the file calls its fields, as in `eval run`.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Folds of classes.")] = 5,
    seed: Annotated[int, typer.Option(help="Seed of the folds, the probe and the control.")] = 0,
    out: Annotated[Path | None, typer.Option(help="JSON file to write as well.", show_default="none")] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Say whether the names of sounds lie to each other as the sounds do, in a backbone that never heard one."""
    from eval.benchmarks.fields import parse_fields
    from eval.probing.display import print_retrieval
    from eval.probing.labelled import label_clips, read_labels
    from eval.probing.retrieval import probe_texts, read_sounds
    from eval.probing.subject import open_reader, open_text_reader
    from lalm.catalog import find_trained
    from services.files import write_atomic

    folder = find_trained(lalm)
    benchmark = read_labels(bench, label, audio_root, parse_fields(fields) if fields else None)
    labelled = label_clips(benchmark, label, 1)
    with show_progress(quiet=quiet):
        sounds = read_sounds(open_reader(folder, DEFAULT_QUESTION), labelled)
        found = probe_texts(open_text_reader(folder, backbone), sounds, labelled, num_folds=folds, seed=seed)
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(out, found.model_dump_json(indent=1))
    if json:
        print(found.model_dump_json())  # noqa: T201
    else:
        print_retrieval(found, open_terminal())


def forgetting(
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

    The same command goes on where it stopped.
    """
    from eval.benchmarks import find
    from eval.probing.display import print_forgetting
    from eval.probing.forgetting import measure_forgetting, read_carriers
    from eval.probing.subject import open_scorer
    from lalm.catalog import find_trained
    from services.files import write_atomic

    folder = find_trained(lalm)
    benchmark = find(bench).sample(sample, seed)
    carriers = read_carriers(recording or ())
    place = out or Path("runs") / f"forgetting-{folder.name}"
    place.mkdir(parents=True, exist_ok=True)
    file = place / f"forgetting-{benchmark.name}.json"
    with show_progress(quiet=quiet):
        found = measure_forgetting(open_scorer(folder), benchmark, carriers, file.with_suffix(".jsonl"))
    write_atomic(file, found.model_dump_json(indent=1))
    if json:
        print(found.model_dump_json())  # noqa: T201
    else:
        print_forgetting(found, open_terminal())
        open_terminal().print(f"Forgetting: {file}", highlight=False, soft_wrap=True)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    for verb in (probe, probe_text, forgetting):
        app.command()(verb)
