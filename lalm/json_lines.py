"""Validation of JSON lines: an invalid row is an error that names file, line, field and what is needed."""

from typing import TypeVar

from pydantic import BaseModel, ValidationError

from services.errors import BadConfig, worded

RowT = TypeVar("RowT", bound=BaseModel)


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
        return kind.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"])) or "row"
        raise BadConfig(f"{place} is not {name}: {field}: {worded(first)}. It needs {needed}.") from error
