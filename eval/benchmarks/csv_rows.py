"""CSV as spreadsheets write it: any of four delimiters, `sep=;` as first line, and every end of line."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from services.errors import BadConfig

DELIMITERS = ",;\t|"
DECLARED = re.compile(r'\s*"?sep=(?P<mark>[^"\r\n])["\s;,|]*?(?:\r\n|\r|\n|\Z)', re.IGNORECASE)
"""First line with which Excel is told, and says, what parts the cells; it is no row."""


class CsvRows(NamedTuple):
    """The header of a CSV file and its rows, which are read as they are asked for."""

    header: Sequence[str]
    rows: Iterator[list[str]]
    """At most as many cells as the header has; rows without any text are left out."""


def read_csv(name: str, text: str) -> CsvRows:
    """Read CSV; `BadConfig` says `name` and where it is none, while the rows are read."""
    declared = DECLARED.match(text)
    body = text[declared.end() :] if declared else text
    delimiter = declared["mark"] if declared else _find_delimiter(body)
    rows = _read_rows(name, body, delimiter)
    header = next(rows, [])
    if repeated := [field for field in header if field and header.count(field) > 1]:
        raise BadConfig(f"{name}: its header names {repeated[0]!r} twice; each column needs a name of its own.")
    return CsvRows(header, _check_rows(name, header, rows))


def _read_rows(name: str, text: str, delimiter: str) -> Iterator[list[str]]:
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        yield from (cells for cells in lines if any(cells))
    except csv.Error as error:
        raise BadConfig(f"{name} is not CSV: {error} at line {lines.line_num}.") from error


def _check_rows(name: str, header: Sequence[str], rows: Iterator[list[str]]) -> Iterator[list[str]]:
    for number, cells in enumerate(rows, start=1):
        if len(cells) > len(header):
            raise BadConfig(f"{name}, row {number}, has {len(cells)} cells; its header names {len(header)}.")
        yield cells


def _find_delimiter(text: str) -> str:
    """Return what parts the cells: the mark that parts the header into most of them."""
    (header, *_) = re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)
    return max(DELIMITERS, key=lambda mark: len(next(csv.reader([header], delimiter=mark), [])))
