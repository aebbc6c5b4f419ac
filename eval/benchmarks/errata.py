"""Errata: items whose published answer is disputed, each with the source that disputes it.

`errata.yaml` holds what authors withdrew or were told of in public; `my.errata.yaml` beside `my.json` adds to it. An
item stays in the benchmark and in its score: the run also says what the score is without the disputed ones.
"""

from difflib import get_close_matches
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Item
from services.errors import BadConfig
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
    """Return the benchmark with the source of the dispute at each disputed item.

    `BadConfig` names what `my.errata.yaml` disputes and `my.json` does not hold.
    """
    own = benchmark.file.with_suffix(OWN_SUFFIX)
    files = [*([FILE] if _names_any(benchmark.items) else []), *([own] if own.is_file() else [])]
    if not files:
        return benchmark
    from services.yaml_file import read_config  # to load it takes longer than the start of a run may

    errata = {file: read_config(file, Errata) for file in files}
    if own in errata:
        _require_known(own, errata[own], benchmark)
    known = {(one.id, one.answer): one for read in errata.values() for one in read.items}
    items = tuple(_mark(item, known.get((item.id, item.answer or ""))) for item in benchmark.items)
    return benchmark.model_copy(update={"items": items})


def _require_known(own: Path, errata: Errata, benchmark: Benchmark) -> None:
    """Refuse an id or an answer that the benchmark does not hold: misspelt, it would dispute nothing."""
    items = {item.id: item for item in benchmark.items}
    for number, one in enumerate(errata.items, start=1):
        where = f"Configuration '{own}', item {number}"
        if one.id not in items:
            near = get_close_matches(one.id, items, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else "."
            raise BadConfig(f"{where}: {benchmark.name} has no item {one.id!r}{hint}")
        item = items[one.id]
        if item.choices and one.answer not in item.choices:
            listed = ", ".join(map(repr, item.choices))
            raise BadConfig(f"{where}: {one.answer!r} is not an option of {one.id!r}; these are: {listed}.")


def _names_any(items: tuple[Item, ...]) -> bool:
    """Whether the file that ships names an item: to parse it takes longer than the start of a run may take."""
    words = set(FILE.read_text(encoding="utf-8").split())
    return any(item.id in words for item in items)


def _mark(item: Item, erratum: Erratum | None) -> Item:
    if erratum is None:
        return item
    instead = f" ({erratum.corrected!r} instead)" if erratum.corrected else ""
    return item.model_copy(update={"disputed": f"{erratum.source}{instead}"})
