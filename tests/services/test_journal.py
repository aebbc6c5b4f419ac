"""Journals: what a crash leaves behind the last whole line goes, and a line that is not a row is named."""

from pathlib import Path

import pytest

from services.errors import BadConfig
from services.journal import JournalFormat, append_row, cut_torn_line
from services.types import Value


class Step(Value):
    number: int
    text: str = ""


STEPS = JournalFormat(Step, "a step", "delete it")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "steps.jsonl"


def write(path: Path, *numbers: int) -> None:
    with path.open("ab") as file:
        for number in numbers:
            append_row(file, Step(number=number), durable=number % 2 == 0)


def test_rows_come_back_with_their_lines_also_with_other_ends_of_lines_in_them(path: Path) -> None:
    write(path, 1)
    with path.open("ab") as file:
        append_row(file, Step(number=2, text="a\u2028b\x85c\nd"))
    first, second = STEPS.read(path)
    assert (first.row, second.row) == (Step(number=1), Step(number=2, text="a\u2028b\x85c\nd"))
    assert first.line + second.line == path.read_bytes()
    assert second.end == len(path.read_bytes())


@pytest.mark.parametrize("torn", [b'{"number": 3, "te', b'{"number": 3}', b"\x00\x00\x00", b"{}\n", b""])
def test_a_last_line_that_a_crash_cut_short_is_left_out_and_cut_off(path: Path, torn: bytes) -> None:
    write(path, 1, 2)
    whole = path.read_bytes()
    path.write_bytes(whole + torn)
    assert [one.row.number for one in STEPS.read(path)] == [1, 2]
    assert path.read_bytes() == whole + torn
    assert [one.number for one in STEPS.recover(path)] == [1, 2]
    assert path.read_bytes() == whole
    write(path, 4)
    assert [one.row.number for one in STEPS.read(path)] == [1, 2, 4]


def test_a_line_in_the_middle_that_is_not_a_row_is_named(path: Path) -> None:
    write(path, 1)
    with path.open("ab") as file:
        file.write(b'{"number": "many"}\n')
    write(path, 3)
    content = path.read_bytes()
    with pytest.raises(BadConfig, match=r"steps\.jsonl', line 2 is not a step \(.*integer.*\); delete it\."):
        STEPS.recover(path)
    assert path.read_bytes() == content


def test_where_there_is_no_file_there_is_no_row(path: Path) -> None:
    assert list(STEPS.read(path)) == []
    assert not path.exists()
    assert STEPS.recover(path) == []
    assert path.read_bytes() == b""


def test_what_is_behind_the_last_line_feed_is_cut_off(path: Path) -> None:
    path.write_bytes(b"one\ntwo\nthr")
    cut_torn_line(path)
    assert path.read_bytes() == b"one\ntwo\n"
    cut_torn_line(path.with_name("new.jsonl"))
    assert path.with_name("new.jsonl").read_bytes() == b""
