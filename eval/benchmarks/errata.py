"""Errata: items whose published answer is disputed, each with the source that disputes it.

`errata.yaml` holds what authors withdrew or were told of in public; `my.errata.yaml` beside `my.json` adds to it. An
item stays in the benchmark and in its score: the run also says what the score is without the disputed ones.
"""

from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Item
from services.types import Value

FILE = Path(__file__).with_name("errata.yaml")
OWN_SUFFIX = ".errata.yaml"


class Erratum(Value):
    """One disputed answer."""

    id: str
    """Of the item."""
    answer: str
    """As it was published: a release that gives another answer is not concerned."""
    corrected: str = ""
    """What the source says is right; empty: it says only that the answer is wrong."""
    source: str
    """Where the answer is disputed or withdrawn: an issue, a commit, a paper."""


class Errata(Value):
    """The disputed items of any benchmarks."""

    items: tuple[Erratum, ...]


def mark_disputed(benchmark: Benchmark) -> Benchmark:
    """Return the benchmark with the source of the dispute at each disputed item."""
    own = benchmark.file.with_suffix(OWN_SUFFIX)
    files = [*([FILE] if _names_any(benchmark.items) else []), *([own] if own.is_file() else [])]
    if not files:
        return benchmark
    from services.yaml_file import read_config  # to load it takes longer than the start of a run may

    known = {(one.id, one.answer): one for file in files for one in read_config(file, Errata).items}
    items = tuple(_mark(item, known.get((item.id, item.answer or ""))) for item in benchmark.items)
    return benchmark.model_copy(update={"items": items})


def _names_any(items: tuple[Item, ...]) -> bool:
    """Whether the file that ships names an item: to parse it takes longer than the start of a run may take."""
    words = set(FILE.read_text(encoding="utf-8").split())
    return any(item.id in words for item in items)


def _mark(item: Item, erratum: Erratum | None) -> Item:
    if erratum is None:
        return item
    instead = f" ({erratum.corrected!r} instead)" if erratum.corrected else ""
    return item.model_copy(update={"disputed": f"{erratum.source}{instead}"})
