"""Labelled sets: recordings with a class each, out of any benchmark file or a table of recordings."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from eval.benchmarks import find
from eval.benchmarks.benchmark import Benchmark, Item
from eval.benchmarks.fields import FieldNames
from eval.benchmarks.tables import is_table, read_table
from services.errors import BadConfig
from services.terminal.counts import format_count

ANSWER = "answer"
PARTS: Mapping[str, Callable[[Item], str]] = {
    ANSWER: lambda item: item.answer or "",
    "task": lambda item: item.task,
    "category": lambda item: item.category,
    "sub-category": lambda item: item.sub_category,
    "difficulty": lambda item: item.difficulty,
    "modality": lambda item: item.modality,
}
"""What every benchmark's items can be labelled by; of a file, any other field as well."""


class LabelledClip(NamedTuple):
    """A recording and its class."""

    id: str
    path: Path
    label: str
    source: str
    """What it shares with others: a recording that several clips were cut from, or itself."""
    choices: tuple[str, ...] = ()
    """Options of its question; empty where it has none."""


class LabelledSet(NamedTuple):
    """Recordings with a class each."""

    name: str
    sha256: str
    """Of the file that they were read from."""
    label: str
    clips: tuple[LabelledClip, ...]
    left_out: Mapping[str, int]
    """Why items are not here -> how many."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, the most frequent first."""
        counts = Counter(clip.label for clip in self.clips)
        return tuple(sorted(counts, key=lambda label: (-counts[label], label)))

    @property
    def has_options(self) -> bool:
        """Whether the label is the answer to a question with options, all of them classes."""
        known = set(self.classes)
        return self.label == ANSWER and all(clip.choices and known & {*clip.choices} for clip in self.clips)


def read_labels(bench: str, label: str, audio_root: Path | None = None, fields: FieldNames | None = None) -> Benchmark:
    """Read a benchmark, or any file of recordings with the label as one of its fields.

    Raises:
        BadConfig: the benchmark cannot be read, or has no such label.
    """
    if label in PARTS:
        return find(bench, audio_root, fields)
    if not is_table(bench):
        raise BadConfig(f"--label {label!r} is not known of {bench}; these are: {', '.join(PARTS)}.")
    from eval.benchmarks.mapped import read_labelled

    file = Path(bench)
    known = read_table(file).fields
    if label not in known:
        raise BadConfig(
            f"--label {label!r} names no field of '{bench}'; it has {', '.join(known)}. Of a file of questions, these "
            f"work as well: {', '.join(PARTS)}."
        )
    return read_labelled(file, label, audio_root, fields)


def label_clips(benchmark: Benchmark, label: str, min_sources: int, ids: Iterable[str] | None = None) -> LabelledSet:
    """Give each recording of a benchmark its class.

    Args:
        benchmark: as `read_labels` returns it.
        label: one of `PARTS`, or the field that the benchmark was read by.
        min_sources: recordings that a class needs, one for each fold; rarer classes are left out.
        ids: of the items that count; None: all.

    Raises:
        BadConfig: fewer than two classes are left, or a recording is not there.
    """
    read = PARTS.get(label, PARTS["category"])
    wanted = None if ids is None else set(ids)
    items = [item for item in benchmark.items if wanted is None or item.id in wanted]
    left_out: Counter[str] = Counter()
    found = []
    for item in items:
        reason = _find_reason(item, read(item))
        if reason:
            left_out[reason] += 1
        else:
            path = benchmark.find_clips(item)[0]
            found.append(
                LabelledClip(id=item.id, path=path, label=read(item), source=item.source, choices=item.choices)
            )
    clips = _drop_rare(found, min_sources, left_out)
    labelled = LabelledSet(
        name=benchmark.name, sha256=benchmark.sha256, label=label, clips=tuple(clips), left_out=dict(left_out)
    )
    _require_classes(labelled, min_sources, len(items))
    return labelled


def _find_reason(item: Item, label: str) -> str:
    if not label:
        return "without a label"
    if len(item.audio) != 1:
        return "about several recordings" if item.audio else "about no recording"
    return ""


def _drop_rare(clips: list[LabelledClip], min_sources: int, left_out: Counter[str]) -> list[LabelledClip]:
    sources: dict[str, set[str]] = {}
    for clip in clips:
        sources.setdefault(clip.label, set()).add(clip.source)
    kept = [clip for clip in clips if len(sources[clip.label]) >= min_sources]
    if len(kept) < len(clips):
        left_out[f"of a class with fewer than {min_sources} recordings"] = len(clips) - len(kept)
    return kept


def _require_classes(labelled: LabelledSet, min_sources: int, num_items: int) -> None:
    classes = labelled.classes
    if len(classes) < 2:
        why = "; ".join(f"{num} {reason}" for reason, num in labelled.left_out.items())
        why = f" ({why})" if why else ""
        only = f"only {classes[0]!r}" if classes else "none"
        raise BadConfig(
            f"A probe needs two classes with {min_sources} recordings each, one for each fold; of the "
            f"{format_count(num_items, 'item')} of {labelled.name}, --label {labelled.label} leaves "
            f"{only}{why}. Name another "
            "label, or fewer --folds."
        )
    if absent := [clip.path for clip in labelled.clips if not clip.path.is_file()]:
        raise BadConfig(
            f"{labelled.name}: {len(absent)} of {len(labelled.clips)} labelled recordings are not there, the first at "
            f"'{absent[0]}'. Name the folder that holds them with --audio-root."
        )
