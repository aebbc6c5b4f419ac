"""A line that is not a row is named, with what a row needs."""

import pytest
from pydantic import BaseModel

from lalm.json_lines import parse_row
from services.errors import BadConfig


class Clip(BaseModel):
    """A row."""

    seconds: float


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"seconds": "long"}', "seconds: Input should be a valid number"),
        ("[", "row: Invalid JSON"),
        ("{}", "seconds: Fi"),
    ],
)
def test_an_invalid_line_is_an_error_with_its_place(line: str, fault: str) -> None:
    with pytest.raises(BadConfig) as caught:
        parse_row(Clip, line, place="rows.jsonl:3", name="a clip", needed="seconds")
    assert str(caught.value).startswith(f"rows.jsonl:3 is not a clip: {fault}")
    assert str(caught.value).endswith("It needs seconds.")


def test_a_valid_line_is_parsed() -> None:
    assert parse_row(Clip, '{"seconds": 2}', place="", name="a clip", needed="seconds").seconds == 2
