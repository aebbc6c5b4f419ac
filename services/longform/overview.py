"""Overview of long-form audio: what its parts name, counted over the whole recording.

A question about the whole is about none of its minutes; a reader of few statements needs one that sums them up.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from services.longform.clock import format_clock
from services.types import Evidence, EvidenceKind, Label

KINDS: tuple[EvidenceKind, ...] = ("sound", "instrument", "music", "emotion", "quality")
"""Kinds whose labels mean the same in every part: no measured values, notes or steps, and no numbered speakers."""
MOST_LABELS = 6
MOST_SPANS = 4


class _Named(NamedTuple):
    """A label of the statement on a part."""

    part: int
    label: Label
    statement: Evidence


def sum_up(parts: Sequence[tuple[Evidence, ...]]) -> Iterator[Evidence]:
    """Yield a statement for each kind and source on how many of the parts name what; none where no two parts do.

    Args:
        parts: what was heard in each part, in order, times in the whole recording.
    """
    named = [
        _Named(number, label, one)
        for number, part in enumerate(parts)
        for one in part
        if one.kind in KINDS
        for label in one.labels
    ]
    named.sort(key=lambda one: (KINDS.index(one.statement.kind), one.statement.source))
    for _, same in groupby(named, key=lambda one: (one.statement.kind, one.statement.source)):
        found = list(same)
        if len({one.part for one in found}) > 1:
            yield _describe(found, len(parts))


def _describe(found: list[_Named], num_parts: int) -> Evidence:
    by_text: dict[str, list[_Named]] = {}
    for one in found:
        by_text.setdefault(one.label.text, []).append(one)
    most = sorted(by_text.values(), key=lambda same: -len({one.part for one in same}))[:MOST_LABELS]
    labels = tuple(_find_surest(same) for same in most)
    told = "; ".join(f"{label} {_count(same, num_parts)}" for label, same in zip(labels, most, strict=True))
    confidences = [one.statement.confidence for one in found if one.statement.confidence is not None]
    return found[0].statement.model_copy(
        update={
            "text": f"Over the whole recording: {told}.",
            "labels": labels,
            "start_s": min(one.statement.start_s for one in found),
            "end_s": max(one.statement.end_s or one.statement.start_s for one in found),
            "confidence": round(sum(confidences) / len(confidences), 2) if confidences else None,
        }
    )


def _find_surest(same: list[_Named]) -> Label:
    return max((one.label for one in same), key=lambda label: label.probability or 0.0)


def _count(same: list[_Named], num_parts: int) -> str:
    """Return in how many parts a label is named, and of a few of them when."""
    numbers = sorted({one.part for one in same})
    if len(numbers) > MOST_SPANS:
        return f"in {len(numbers)} of {num_parts} parts"
    spans = {
        one.part: f"{format_clock(one.statement.start_s)}-{format_clock(one.statement.end_s or 0)}" for one in same
    }
    return f"in {len(numbers)} of {num_parts} parts ({', '.join(spans[number] for number in numbers)})"
