"""Nested rows: what objects in a row hold, as fields with dots, such as `question.stem`; and flags of right options.

A file whose question stands at the top of its rows is left as it is.
"""

from collections.abc import Iterator, Mapping

from eval.benchmarks.detection import asks_at_top
from eval.benchmarks.fields import FieldNames
from eval.benchmarks.options import find_flags
from eval.benchmarks.tables import Table, TableRow

MAX_DEPTH = 4  # of objects in objects


def unfold(table: Table, given: FieldNames) -> Table:
    """Return a table with the fields that stand inside objects, where its questions do or a named field does.

    Options that are objects with a flag each, such as `{"text": "a dog", "correct": true}`, have the right ones in a
    field beside them.
    """
    named = [name for name in given.model_dump(exclude_none=True).values() if isinstance(name, str)]
    is_nested = any("." in name and name not in table.fields for name in named)
    is_nested = is_nested or not (given.question or asks_at_top(table))
    return Table([_unfold_row(row, is_nested=is_nested) for row in table.rows], table.sha256)


def _unfold_row(row: TableRow, *, is_nested: bool) -> TableRow:
    found = {**row, **dict(_list_inner(row))} if is_nested else row
    flags = {f"{name}.{flag.key}": list(flag.right) for name, value in found.items() if (flag := find_flags(value))}
    return {**found, **flags} if flags else found


def _list_inner(row: Mapping[str, object], stem: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if depth and value is not None:
            yield f"{stem}{name}", value
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from _list_inner(value, f"{stem}{name}.", depth + 1)
