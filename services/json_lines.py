"""JSON lines and other text files that users bring: encodings, line ends, nulls and NaN; and how ours are written.

Text is UTF-8 with or without a byte order mark, or UTF-16, as spreadsheets and editors write it; whole files may be
compressed by gzip. A line ends at a line feed and nowhere else: U+2028, U+2029 and U+0085 may stand in a JSON
string. NaN, which pandas writes for an empty cell, is null; a null column, which `datasets` fills in where a row lacks
it, is as if left out. A key twice is an error.
"""

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, BeforeValidator, ValidationError

from services.errors import BadConfig, word_problem
from services.files import replace_atomically, write_atomic

RowT = TypeVar("RowT", bound=BaseModel)
SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
NUM_BYTES_SNIFFED = 4  # tell UTF-8 and UTF-16 apart
GZIP = b"\x1f\x8b"  # how gzip's files begin (RFC 1952)


def format_id(value: object) -> object:
    """Return a number as the text that stands for it in all files: 1 and 1.0, which pandas makes of it, are "1"."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    return str(int(value)) if isinstance(value, int) or value.is_integer() else str(value)


RowId: TypeAlias = Annotated[str, BeforeValidator(format_id)]
"""Id of a row; a number counts as its text."""


class Line(NamedTuple):
    """A line of a text file, without the line feed at its end."""

    number: int
    """From 1."""
    text: str


class LinePlace(NamedTuple):
    """Where a line of a text file begins."""

    number: int = 1
    byte: int = 0
    """0 in UTF-16, which is read from its beginning."""


FIRST_LINE = LinePlace()


class LocatedLine(NamedTuple):
    """A line of a text file, without the line feed at its end."""

    place: LinePlace
    text: str


class JsonRow(NamedTuple):
    """A value of a JSON list, or of a line of JSON lines."""

    number: int
    """Its place in the list, or its line, from 1."""
    value: object


class InvalidJson(ValueError):
    """Text that is not JSON; the message says why, and `line` where it stands in a file of JSON lines."""

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(f"Invalid JSON: {message}")
        self.line = line


def read_bytes(path: Path, name: str) -> bytes:
    """Return the content of a file, unpacked if it is gzip's; `BadConfig` begins with `name` and says what is wrong."""
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if content.startswith(GZIP) else content
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadConfig(f"{name} is compressed by gzip, and damaged: {str(error).rstrip('.')}.") from error
    except OSError as error:
        raise BadConfig(f"{name} cannot be read: {error.strerror}.") from error


def find_suffix(path: Path) -> str:
    """Return the ending of a file's name in small letters, that before .gz where it has one."""
    return Path(path.name.lower().removesuffix(".gz")).suffix


def read_text(path: Path, name: str) -> str:
    """Return the text of a file; `BadConfig` begins with `name` and says why it cannot be read."""
    return decode_text(read_bytes(path, name), name)


def decode_text(content: bytes, name: str) -> str:
    """Return the text of a file's bytes; `BadConfig` names the line that is in neither UTF-8 nor UTF-16."""
    encoding = _detect_encoding(content[:NUM_BYTES_SNIFFED])
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        number = content[: error.start].decode(encoding, "ignore").count("\n") + 1
        raise _make_encoding_error(f"{name}, line {number}", error) from error


def split_lines(text: str) -> Iterator[Line]:
    """Yield the lines that are not blank; a line ends at a line feed only, as JSON lines need it."""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield Line(number, line)


def read_lines(path: Path) -> Iterator[Line]:
    """Yield the lines of a file that are not blank, without holding the whole in memory.

    Raises:
        OSError: the file cannot be opened.
        BadConfig: a line is in neither UTF-8 nor UTF-16.
    """
    return (Line(one.place.number, one.text) for one in locate_lines(path))


def locate_lines(path: Path, first: LinePlace = FIRST_LINE) -> Iterator[LocatedLine]:
    """Yield what `read_lines` does, from a line on and with the place of each; raises the same errors."""
    with path.open("rb") as file:
        encoding = _detect_encoding(file.read(NUM_BYTES_SNIFFED))
        file.seek(first.byte)
        if encoding in {"utf-8", "utf-8-sig"}:
            yield from _decode_lines(path, file, first)
            return
        try:
            for number, line in enumerate(io.TextIOWrapper(file, encoding, newline="\n"), start=1):
                if line.strip() and number >= first.number:
                    yield LocatedLine(LinePlace(number), line.rstrip("\n"))
        except UnicodeDecodeError as error:
            raise _make_encoding_error(f"'{path}'", error) from error


def parse_json(text: str) -> object:
    """Parse JSON; NaN and the infinities, which are not JSON, are null. Raises `InvalidJson`, also for a key twice."""
    try:
        value: object = json.loads(text, parse_constant=lambda _: None, object_pairs_hook=_build_object)
    except json.JSONDecodeError as error:
        raise InvalidJson(f"{error.msg.removesuffix(' at')} at line {error.lineno} column {error.colno}") from error
    except (RecursionError, ValueError) as error:  # nested beyond reason, or a number of thousands of digits
        raise InvalidJson(str(error)) from error
    if SURROGATE.search(text) and _has_lone_surrogate(value):
        raise InvalidJson("a \\u escape from d800 to dfff stands alone; it is half of a character")
    return value


def _build_object(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Build an object; a key that is given twice is an error, where `json` keeps the last (RFC 8259, section 4)."""
    built = dict(pairs)
    if len(built) < len(pairs):
        twice = next(key for index, (key, _) in enumerate(pairs) if any(key == one for one, _ in pairs[:index]))
        raise ValueError(f"key {twice!r} is given twice in one object")
    return built


def _has_lone_surrogate(value: object) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def parse_json_rows(text: str, *, is_lines: bool) -> Iterator[JsonRow]:
    """Yield the values of JSON lines or of a JSON list; raises `InvalidJson`."""
    if not is_lines:
        values = parse_json(text)
        if not isinstance(values, list):
            raise InvalidJson("a list of rows is needed")
        yield from (JsonRow(*row) for row in enumerate(values, start=1))
        return
    for number, line in split_lines(text):
        try:
            yield JsonRow(number, parse_json(line))
        except InvalidJson as error:
            error.line = number
            raise


def is_json_lines(file: Path, text: str) -> bool:
    """Tell whether a text is one JSON object a line rather than one list, whatever its file's name says of a list."""
    suffix, start = find_suffix(file), text.lstrip()[:1]
    return start != "[" if suffix == ".jsonl" else suffix != ".json" and start == "{"


def drop_nulls(value: object, kept: Iterable[str] = ()) -> object:
    """Return a JSON value without the keys of its objects that are null; `kept` names keys of the outermost to keep."""
    if isinstance(value, Mapping):
        kept = frozenset(kept)
        return {key: drop_nulls(one) for key, one in value.items() if one is not None or key in kept}
    return [drop_nulls(one) for one in value] if isinstance(value, list) else value


def validate_row(kind: type[RowT], value: object) -> RowT:
    """Return a parsed JSON value as a row, its nulls left out; raises `ValidationError`."""
    return kind.model_validate_json(json.dumps(drop_nulls(value)))


def parse_row(kind: type[RowT], line: str, *, place: str, name: str, needed: str) -> RowT:
    """Parse one line; raise `BadConfig` if it is not valid.

    Args:
        kind: model of the row.
        line: JSON.
        place: file and number of the line, for the message.
        name: of such a row, with its article, for the message.
        needed: fields that a row needs, for the message.
    """
    try:
        return validate_row(kind, parse_json(line))
    except InvalidJson as error:
        raise BadConfig(f"{place} is not {name}: row: {error}. It needs {needed}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "row"
        raise BadConfig(f"{place} is not {name}: {field}: {word_problem(first)}. It needs {needed}.") from error


def read_record(kind: type[RowT], path: Path, *, name: str, cure: str) -> RowT:
    """Read a file that is one JSON object of ours; `BadConfig` says that it is not `name`, why, and the cure."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        why = f" ({word_problem(error.errors()[0])})" if isinstance(error, ValidationError) else ""
        raise BadConfig(f"{str(path)!r} is not {name} of this version{why}; {cure}.") from error


def write_record(path: Path, record: BaseModel) -> None:
    """Write a file that is one JSON object of ours, and make the folder that it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, record.model_dump_json(indent=1))


def refuse_repeated_ids(name: str, ids: Iterable[tuple[int, str]]) -> None:
    """Raise `BadConfig`, which begins with `name`, if two rows have one id; `ids` are (number of the row, its id)."""
    first_row: dict[str, int] = {}
    for number, row_id in ids:
        if first_row.setdefault(row_id, number) != number:
            raise BadConfig(
                f"{name}, row {number}, field 'id': {row_id!r} is already the id of row {first_row[row_id]}; "
                "ids must be unique."
            )


def make_row_error(place: str, error: ValidationError) -> BadConfig:
    """Make the error of a row that is not valid: `place` (file and row), the field, and what is wrong with it."""
    problem = error.errors(include_url=False, include_context=False)[0]
    field = f"field {problem['loc'][0]!r}: " if problem["loc"] else ""
    return BadConfig(f"{place}, {field}{word_problem(problem)}.")


def _decode_lines(path: Path, lines: Iterable[bytes], first: LinePlace) -> Iterator[LocatedLine]:
    start = first.byte
    for number, content in enumerate(lines, start=first.number):
        whole = content.removeprefix(codecs.BOM_UTF8) if number == 1 else content
        try:
            line = whole.decode()
        except UnicodeDecodeError as error:
            raise _make_encoding_error(f"'{path}', line {number}", error) from error
        if line.strip():
            yield LocatedLine(LinePlace(number, start), line.rstrip("\n"))
        start += len(content)


def _detect_encoding(start: bytes) -> str:
    return json.detect_encoding(start) if start else "utf-8"


def _make_encoding_error(place: str, error: UnicodeDecodeError) -> BadConfig:
    byte = error.object[error.start]
    return BadConfig(f"{place} is not UTF-8: byte 0x{byte:02x} ({error.reason}). Save the file as UTF-8.")


def write_lines(path: Path, lines: Iterable[str]) -> None:
    """Write a text file whole, or leave what was there; each line brings its line feed.

    Raises:
        BadConfig: the file cannot be written.
    """
    try:
        with replace_atomically(path) as draft, draft.open("w", encoding="utf-8") as file:
            file.writelines(lines)
    except OSError as error:
        raise BadConfig(f"'{path}' cannot be written: {error.strerror}.") from error
