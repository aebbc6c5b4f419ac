"""Tables of questions that users bring: JSON, JSON lines, CSV and Parquet, in the shapes that tools write them in.

JSON may be a list of rows, an object with one list of rows, an object from keys to rows or from clips to lists of rows,
or a table by columns as pandas writes it; a line of JSON lines may be a row, or an object from its key to the row. A
row that lists several questions about its clip is as many rows, and a conversation is what it asks.
"""

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, NamedTuple, TypeAlias, TypeGuard
from urllib.parse import urlsplit
from urllib.request import url2pathname

from eval.benchmarks.benchmark import AUDIO_SUFFIXES
from eval.benchmarks.conversations import read_conversations
from eval.benchmarks.fields import NAMES, normalise
from eval.benchmarks.options import find_flags, parse_list
from services.errors import BadConfig
from services.json_lines import (
    InvalidJson,
    find_suffix,
    format_id,
    is_json_lines,
    parse_json,
    read_text,
    split_lines,
)
from services.questions import MAX_CLIPS

KEY = "(key)"
"""Field that holds the key of a row, where the file is an object from keys to rows."""
CLIP = "(clip)"
"""Field that holds the key of a list of rows, where that is the path of a recording."""
DELIMITERS = ",;\t|"
DECLARED = re.compile(r'\s*"?sep=(?P<mark>[^"\r\n])["\s;,|]*?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
"""First line with which Excel is told, and says, what parts the cells; it is not a row."""
QUESTION_NAMES = ("question", "questiontext", "query", "prompt", "instruction", "q")
MAX_DEPTH = 4  # of objects in objects
SUFFIXES = (".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".parquet")
EMPTY_CELLS = ("", "nan", "NaN")
"""What pandas writes where a cell has no value, and reads so."""
MOST_CHARACTERS = 2**31 - 1  # of a cell: what the csv module can be told everywhere; its default is 131,072

NEEDED = dict.fromkeys((".csv", ".tsv", ".parquet"), "a header and rows")

TableRow: TypeAlias = Mapping[str, object]


class Table(NamedTuple):
    """The rows of a file, and the file's identity."""

    rows: Sequence[TableRow]
    """In the order of the file; a field that is null in a row is not in it."""
    sha256: str
    """Hex digest of the file."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of all fields, in the order in which they first occur."""
        return tuple(dict.fromkeys(name for row in self.rows for name in row))


class CsvRows(NamedTuple):
    """The header of a CSV file and its rows, which are read as they are asked for."""

    header: Sequence[str]
    rows: Iterator[list[str]]
    """At most as many cells as the header has; rows without any text are left out."""


def is_table(name: str) -> bool:
    """Whether a name is that of a file rather than of a benchmark."""
    return find_suffix(Path(name)) in SUFFIXES


def read_table(file: Path) -> Table:
    """Read a file of questions; `BadConfig` names the file, and the row that is not one."""
    name = f"Benchmark {str(file)!r}"
    try:
        with file.open("rb") as opened:
            sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise BadConfig(f"{name} cannot be read: {error.strerror}.") from error
    rows = read_conversations(name, _split_rows([_drop_nulls(row) for row in _read_rows(name, file, sha256)]))
    if not rows:
        raise BadConfig(f"{name} holds no items; it needs {NEEDED.get(find_suffix(file), 'a JSON list of rows')}.")
    return Table(rows, sha256)


def _read_rows(name: str, file: Path, sha256: str) -> Iterable[TableRow]:
    if find_suffix(file) == ".parquet":
        from eval.benchmarks.parquet import read_parquet

        return read_parquet(file, sha256)
    text = read_text(file, name)
    return _read_csv(name, text) if find_suffix(file) in {".csv", ".tsv"} else _read_json(name, file, text)


def _split_rows(rows: Sequence[TableRow]) -> Sequence[TableRow]:
    """Return a row for each question, where rows ask none themselves and list several, such as those about a clip.

    What stands beside the list holds for all of its questions; a row's own id is told apart by their places in it.
    """
    lists = {
        field for row in rows for field, value in row.items() if isinstance(value, list) and any(map(_asks, value))
    }
    if len(lists) != 1 or any(map(_asks, rows)):
        return rows
    (field,) = lists
    return [
        _join_question({name: value for name, value in row.items() if name != field}, question, place)
        for row in rows
        for place, question in enumerate(_list_questions(row.get(field)), start=1)
    ]


def _list_questions(value: object) -> Sequence[object]:
    """Return what a list holds; of any other value, and of an empty list, an object that asks nothing."""
    return value if isinstance(value, list) and value else [{}]


def _join_question(clip: TableRow, question: object, place: int) -> TableRow:
    own = question if isinstance(question, Mapping) else {}
    told_apart = [name for name in clip if name == KEY or normalise(name) in NAMES["id"]]
    ids = {name: f"{format_id(clip[name])}-{place}" for name in told_apart}
    key = {CLIP: clip[KEY]} if is_path(clip.get(KEY)) else {}
    return {**clip, **key, **ids, **_drop_nulls(own)}


def _asks(value: object) -> bool:
    """Whether a value is an object with a question."""
    return isinstance(value, Mapping) and any(normalise(str(name)) in QUESTION_NAMES for name in value)


def _drop_nulls(row: TableRow) -> TableRow:
    """Leave out nulls, and NaN, which pandas writes for an empty cell."""
    return {name: value for name, value in row.items() if value is not None and value == value}  # noqa: PLR0124


def _read_csv(name: str, text: str) -> Iterator[TableRow]:
    header, rows = read_csv(name, text)
    return (
        {field: cell for field, cell in zip(header, cells, strict=False) if cell not in EMPTY_CELLS} for cells in rows
    )


def read_csv(name: str, text: str) -> CsvRows:
    """Read CSV as spreadsheets write it, with any of four delimiters, or `sep=;` as first line.

    `BadConfig` says `name` and where it is none, while the rows are read.
    """
    declared = DECLARED.match(text)
    body = text[declared.end() :] if declared else text
    delimiter = declared["mark"] if declared else _find_delimiter(body)
    rows = _read_cells(name, body, delimiter)
    header = next(rows, [])
    if repeated := [field for field in header if field and header.count(field) > 1]:
        raise BadConfig(f"{name}: its header names {repeated[0]!r} twice; each column needs a name of its own.")
    return CsvRows(header, _check_cells(name, header, rows))


def _read_cells(name: str, text: str, delimiter: str) -> Iterator[list[str]]:
    csv.field_size_limit(MOST_CHARACTERS)  # a cell may hold a transcript of an hour; the file is in memory anyway
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        for cells in lines:
            stripped = [cell.rstrip(" ") for cell in cells]
            if any(stripped):
                yield stripped
    except csv.Error as error:
        raise BadConfig(f"{name} is not CSV: {error} at line {lines.line_num}.") from error


def _check_cells(name: str, header: Sequence[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for number, cells in enumerate(rows, start=1):
        if any(cells[len(header) :]):
            raise BadConfig(f"{name}, row {number}, has {len(cells)} cells; its header names {len(header)}.")
        yield cells[: len(header)]


def _find_delimiter(text: str) -> str:
    """Return what parts the cells: the mark that parts the header into most of them."""
    (header, *_) = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))


def _read_json(name: str, file: Path, text: str) -> Iterator[TableRow]:
    if is_json_lines(file, text) or find_suffix(file) == ".ndjson":
        yield from _read_lines(name, text)
        return
    try:
        content = parse_json(text)
    except InvalidJson as error:
        raise BadConfig(f"{name}, not a JSON list of rows: {error}.") from error
    rows = find_rows(name, content)
    if rows is None:
        raise BadConfig(
            f"{name}, not a JSON list of rows: it needs a list of objects, an object with one such list, or an object "
            "from keys to rows."
        )
    for number, row in enumerate(rows, start=1):
        if not _is_object(row):
            raise BadConfig(f"{name}, row {number}, is not a JSON object.")
        yield row


def _read_lines(name: str, text: str) -> Iterator[TableRow]:
    for number, line in split_lines(text):
        try:
            row = parse_json(line)
        except InvalidJson as error:
            raise BadConfig(f"{name}, row {number}: {error}.") from error
        if not _is_object(row):
            raise BadConfig(f"{name}, row {number}, is not a JSON object.")
        (only, *others) = row.values() or (None,)
        yield {KEY: next(iter(row)), **only} if not others and _is_object(only) else row


def find_rows(name: str, content: object) -> Sequence[Any] | None:
    """Return the rows of a JSON value; None where it has none of the known shapes."""
    if isinstance(content, list):
        return content
    if not _is_object(content) or not content:
        return None
    return _find_listed(name, content) or _read_columns(content) or _read_keyed(content)


def _find_listed(name: str, content: Mapping[str, Any]) -> Sequence[object] | None:
    """Return the one list of objects in an object; the Hub's viewer wraps each row once more."""
    if _is_split(content):
        return [dict(zip(content["columns"], cells, strict=False)) for cells in content["data"]]
    lists = [value for value in content.values() if isinstance(value, list) and value and all(map(_is_object, value))]
    if "row_idx" in next((row for rows in lists for row in rows if "row" in row), {}):
        return [row["row"] for rows in lists for row in rows if "row" in row]
    if len(lists) == len(content) > 1 and all(map(is_path, content)):
        return [
            {KEY: f"{clip}-{place}", CLIP: clip, **row}
            for clip, rows in content.items()
            for place, row in enumerate(rows, start=1)
        ]
    if len(lists) > 1:
        named = [repr(key) for key, value in content.items() if value in lists]
        raise BadConfig(f"{name} holds several lists of rows, {', '.join(named)}; keep one of them in the file.")
    return lists[0] if lists else None


def _is_split(content: Mapping[str, Any]) -> bool:
    """Whether an object names its columns beside lists of cells, as pandas writes it with orient="split"."""
    columns, data = content.get("columns"), content.get("data")
    is_named = isinstance(columns, list) and all(isinstance(name, str) for name in columns)
    return is_named and isinstance(data, list) and all(isinstance(cells, list) for cells in data)


def _read_columns(content: Mapping[str, Any]) -> Sequence[object] | None:
    """Return the rows of a table by columns: lists of one length, or objects from row numbers to cells."""
    columns = list(content.values())
    if all(isinstance(column, list) for column in columns) and len(set(map(len, columns))) == 1:
        return [dict(zip(content, cells, strict=True)) for cells in zip(*columns, strict=True)]
    if not all(_is_object(column) and column and all(key.isdigit() for key in column) for column in columns):
        return None
    numbers = dict.fromkeys(number for column in columns for number in column)
    return [{name: column.get(number) for name, column in content.items()} for number in numbers]


def _read_keyed(content: Mapping[str, Any]) -> Sequence[object] | None:
    """Return the rows of an object from keys to rows."""
    return [{KEY: key, **row} for key, row in content.items()] if all(map(_is_object, content.values())) else None


def _is_object(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def unfold(table: Table, *, is_nested: bool) -> Table:
    """Return a table with the fields inside its objects too, where it is nested, under names such as `question.stem`.

    Options that are objects with a flag each, such as `{"text": "a dog", "correct": true}`, have the right ones in a
    field beside them.
    """
    return Table([_unfold_row(row, is_nested=is_nested) for row in table.rows], table.sha256)


def _unfold_row(row: TableRow, *, is_nested: bool) -> TableRow:
    found = {**row, **dict(_list_inner(row))} if is_nested else row
    flags = {f"{name}.{flag.key}": list(flag.right) for name, value in found.items() if (flag := find_flags(value))}
    return {**found, **flags} if flags else found


def _list_inner(row: TableRow, stem: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    for name, value in row.items():
        if depth and value is not None:
            yield f"{stem}{name}", value
        if isinstance(value, Mapping) and depth < MAX_DEPTH:
            yield from _list_inner(value, f"{stem}{name}.", depth + 1)


def is_path(value: object) -> bool:
    """Whether a value names a recording, or several."""
    value = parse_list(value)
    if isinstance(value, list):
        return bool(value) and all(map(is_path, value))
    if isinstance(value, Mapping):
        return not {"path", "bytes", "src"}.isdisjoint(value)
    return isinstance(value, str) and PurePosixPath(value.strip().split("?")[0]).suffix.lower() in AUDIO_SUFFIXES


def list_paths(value: object) -> list[str]:
    """Return the paths that a field names: one, a list, or the structure that `datasets` writes."""
    if isinstance(value, list):
        return [path for one in value for path in list_paths(one)]
    if isinstance(value, Mapping):
        value = value.get("path") or value.get("src")
    text = format_id(value) if value is not None else ""
    return [_read_path(text)] if isinstance(text, str) and text.strip() else []


def _read_path(text: str) -> str:
    """Return a path as it is written here: of a file:// address, or of Windows with its backslashes."""
    if text.startswith("file:"):
        text = url2pathname(urlsplit(text).path)
    return PureWindowsPath(text).as_posix() if "\\" in text and "/" not in text else text


def is_empty(value: object) -> bool:
    """Whether a value names nothing: null, no text, or a structure without a value."""
    if isinstance(value, Mapping):
        return all(one is None for one in value.values())
    return value is None or (isinstance(value, str | Sequence) and not value)


def is_name(value: object) -> bool:
    """Whether a value is a short text without spaces, such as the name of a clip without its ending."""
    return isinstance(value, str) and " " not in value.strip()


def may_name(value: object) -> bool:
    """Whether a value may be the name or the number of a clip."""
    return isinstance(value, str | int | list) and not isinstance(value, bool)


def is_sampled(value: object) -> bool:
    """Whether a value is a waveform: an array in a structure, or a list of more numbers than recordings can be."""
    if isinstance(value, Mapping):
        return "array" in value
    return isinstance(value, list) and len(value) > MAX_CLIPS and all(isinstance(one, int | float) for one in value)
