"""What text files hold in the wild is read alike everywhere, and what cannot be read is named with its line."""

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from services.errors import BadConfig
from services.json_lines import (
    InvalidJson,
    Line,
    RowId,
    decode_text,
    drop_nulls,
    format_id,
    parse_json,
    parse_json_rows,
    parse_row,
    read_lines,
    read_text,
)

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be")
SEPARATORS = ("\u2028", "\u2029", "\u0085", "\v", "\f", "\x1c", "\x1e")  # where str.splitlines cuts, and JSON does not


class Clip(BaseModel):
    """A row."""

    seconds: float
    id: RowId = ""
    labels: tuple[str, ...] = ()


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ('{"seconds": "long"}', "seconds: Input should be a valid number"),
        ("[", "row: Invalid JSON"),
        ("{}", "seconds: Fi"),
        ('{"seconds": NaN}', "seconds: Field required"),
        ('{"seconds": 1, "id": true}', "id: Input should be a valid string"),
        ("[" * 100_000, "row: Invalid JSON"),
    ],
)
def test_an_invalid_line_is_an_error_with_its_place(line: str, fault: str) -> None:
    with pytest.raises(BadConfig) as caught:
        parse_row(Clip, line, place="rows.jsonl:3", name="a clip", needed="seconds")
    assert str(caught.value).startswith(f"rows.jsonl:3 is not a clip: {fault}")
    assert str(caught.value).endswith("It needs seconds.")


@pytest.mark.parametrize("id", [7, 7.0, "7"])
def test_a_null_column_is_left_out_and_a_number_is_an_id(id: object) -> None:
    line = json.dumps({"seconds": 2, "id": id, "labels": None})
    clip = parse_row(Clip, line, place="", name="a clip", needed="seconds")
    assert clip == Clip(seconds=2, id="7")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_lines_are_the_same_in_every_encoding(tmp_path: Path, encoding: str, end: str) -> None:
    lines = ['{"a": "Köln, 東京"}', "", '{"b": 1}']
    file = tmp_path / "rows.jsonl"
    file.write_bytes((end.join(lines) + end).encode(encoding))
    assert [(number, json.loads(line)) for number, line in read_lines(file)] == [
        (1, {"a": "Köln, 東京"}),
        (3, {"b": 1}),
    ]
    rows = parse_json_rows(read_text(file, "Rows"), is_lines=True)
    assert list(rows) == [(1, {"a": "Köln, 東京"}), (3, {"b": 1})]


@pytest.mark.parametrize("separator", SEPARATORS)
def test_a_line_ends_at_a_line_feed_only(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "rows.txt"
    file.write_text(f"one{separator}two\nthree", encoding="utf-8", newline="\n")
    assert list(read_lines(file)) == [Line(1, f"one{separator}two"), Line(2, "three")]


@pytest.mark.parametrize("text", ["Café", "Gr\u00fc\u00dfe", "\u00bfQu\u00e9?"])
@pytest.mark.parametrize("number", [1, 2, 5])
def test_latin_1_is_refused_with_its_line(tmp_path: Path, text: str, number: int) -> None:
    file = tmp_path / "latin.jsonl"
    file.write_bytes(b'{"a": "fine"}\n' * (number - 1) + f'{{"a": "{text}"}}\n'.encode("latin-1"))
    with pytest.raises(BadConfig, match=f"latin.jsonl', line {number} is not UTF-8: byte 0x"):
        list(read_lines(file))
    with pytest.raises(BadConfig, match=f"Rows, line {number} is not UTF-8: byte 0x"):
        read_text(file, "Rows")


def test_half_a_character_of_utf_16_is_refused() -> None:
    with pytest.raises(BadConfig, match="Rows, line 2 is not UTF-8"):
        decode_text("[1,\n2]".encode("utf-16") + b"\x00\xd8", "Rows")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"^Rows cannot be read: No such file"):
        read_text(tmp_path / "none", "Rows")


def test_an_empty_file_holds_no_lines(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert list(read_lines(tmp_path / "empty")) == []
    assert decode_text(b"", "Rows") == ""


def test_nan_is_null_and_text_that_reads_nan_is_text() -> None:
    assert parse_json('{"a": NaN, "b": [-Infinity, Infinity], "c": "NaN"}') == {
        "a": None,
        "b": [None, None],
        "c": "NaN",
    }


def test_half_a_character_in_an_escape_is_refused_and_a_pair_is_one() -> None:
    assert parse_json('["\\ud83d\\ude00", "\\\\ud83d"]') == ["\N{GRINNING FACE}", "\\ud83d"]
    with pytest.raises(InvalidJson, match="half of a character"):
        parse_json('{"note": "\\uD83D"}')


@pytest.mark.parametrize("text", ['{"a": 1, "b": 2, "a": 1}', '[{"c": {"a": 1, "a": null}}]'])
def test_a_key_that_is_given_twice_is_refused(text: str) -> None:
    with pytest.raises(InvalidJson, match=r"Invalid JSON: key 'a' is given twice in one object"):
        parse_json(text)
    assert parse_json('[{"a": 1}, {"a": 2}, {"b": {"a": 3}}]') == [{"a": 1}, {"a": 2}, {"b": {"a": 3}}]


def test_numbers_that_are_ids_are_their_text() -> None:
    assert list(map(format_id, (7, 7.0, 1.5, 10**400, float("inf")))) == ["7", "7", "1.5", f"1{'0' * 400}", "inf"]


def test_a_fault_in_json_lines_has_its_line() -> None:
    with pytest.raises(InvalidJson) as caught:
        list(parse_json_rows('{"a": 1}\n\n{"a": \n', is_lines=True))
    assert caught.value.line == 3


def test_nulls_are_left_out_at_every_depth_but_for_keys_that_are_kept() -> None:
    row = {"a": None, "b": [{"c": None, "d": 1}, None], "e": None}
    assert drop_nulls(row, kept=("e",)) == {"b": [{"d": 1}, None], "e": None}
