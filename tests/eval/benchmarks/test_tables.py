"""Files of questions in the shapes that tools write: each gives the same two rows."""

import gzip
import json
from pathlib import Path

import pytest

from eval.benchmarks.tables import CLIP, KEY, is_table, read_csv, read_table
from services.errors import BadConfig

ROWS = [{"file": "a.wav", "question": "What?"}, {"file": "b.wav", "question": "Who?"}]
BY_KEY = {row["file"]: {"question": row["question"]} for row in ROWS}
KEYED = [{KEY: row["file"], "question": row["question"]} for row in ROWS]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("q.json", ROWS),
        ("q.json", {"version": "1.0", "data": ROWS}),
        ("q.json", {"features": [], "rows": [{"row_idx": place, "row": row} for place, row in enumerate(ROWS)]}),
        ("q.json", {"file": ["a.wav", "b.wav"], "question": ["What?", "Who?"]}),
        ("q.json", {"file": {"0": "a.wav", "1": "b.wav"}, "question": {"0": "What?", "1": "Who?"}}),
        ("q.json", {"columns": ["file", "question"], "index": [0, 1], "data": [list(row.values()) for row in ROWS]}),
        ("q.jsonl", "\n".join(map(json.dumps, ROWS))),
        ("q.jsonl", ROWS),
        ("q.JSONL", "\n".join(map(json.dumps, ROWS))),
        ("q.JSON", {"data": ROWS}),
        ("q.ndjson", "\r\n".join(map(json.dumps, ROWS))),
        ("q.csv", "file,question\na.wav,What?\nb.wav,Who?\n"),
        ("q.csv", "\ufefffile;question\r\na.wav;What?\r\n\r\nb.wav;Who?\r\n"),
        ("q.tsv", "file\tquestion\na.wav\tWhat?\nb.wav\tWho?"),
        ("q.csv", "sep=;\r\nfile;question\r\na.wav;What?\r\nb.wav;Who?\r\n"),
        ("q.csv", "\ufeffSEP=,\nfile,question\na.wav,What?\nb.wav,Who?\n"),
        ("q.csv", '"sep=|"\nfile|question\na.wav|What?\nb.wav|Who?\n'),
        ("q.csv", "sep=\t\nfile\tquestion\na.wav\tWhat?\nb.wav\tWho?\n"),
        ("q.csv", "sep=;;\nfile;question\na.wav;What?\nb.wav;Who?\n"),
        ("q.csv", "sep=:\nfile:question\na.wav:What?\nb.wav:Who?\n"),
        ("q.csv", "file;question\ra.wav;What?\rb.wav;Who?\r"),
        ("q.csv", "file,question\na.wav,What?,,\nb.wav,Who?,\n"),
        ("q.csv", "file,question,third\na.wav,What?,NaN\nb.wav,Who?,nan\n"),
        ("q.CSV", 'file|question|\n"a.wav"|What?|\nb.wav|Who?|\n'),
    ],
)
def test_one_table_in_many_shapes(tmp_path: Path, name: str, content: object) -> None:
    file = tmp_path / name
    file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8", newline="")
    assert list(read_table(file).rows) == ROWS


@pytest.mark.parametrize(
    ("name", "content"), [("q.json", [BY_KEY]), ("q.jsonl", [{key: row} for key, row in BY_KEY.items()])]
)
def test_rows_by_their_keys_keep_them(tmp_path: Path, name: str, content: list[object]) -> None:
    file = tmp_path / name
    file.write_text("\n".join(map(json.dumps, content)))
    assert list(read_table(file).rows) == KEYED


def test_a_null_is_as_if_left_out(tmp_path: Path) -> None:
    file = tmp_path / "q.json"
    file.write_text('[{"question": "What?", "choices": null, "level": NaN}]')
    table = read_table(file)
    assert list(table.rows) == [{"question": "What?"}]
    assert table.fields == ("question",)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("q.json", "[]", "holds no items; it needs a JSON list of rows"),
        ("q.csv", "file,question\n", "holds no items; it needs a header and rows"),
        ("q.json", '{"a": 1}', "not a JSON list of rows"),
        ("q.json", '{"columns": ["a"], "data": 5}', "not a JSON list of rows"),
        ("q.json", '{"columns": 5, "data": [[1]]}', "not a JSON list of rows"),
        ("q.json", "[1]", "row 1, is not a JSON object"),
        ("q.jsonl", '{"a": 1}\n{"a": ', "row 2: Invalid JSON"),
        ("q.csv", "a,b\n1,2,3\n", "row 1, has 3 cells; its header names 2"),
        ("q.csv", 'a,b\n"1,2\n', "is not CSV: unexpected end of data"),
    ],
)
def test_a_file_without_rows_is_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    file = tmp_path / name
    file.write_text(content)
    with pytest.raises(BadConfig) as raised:
        read_table(file)
    assert said in str(raised.value)
    assert repr(str(file)) in str(raised.value)


def test_spaces_around_the_commas_belong_to_no_cell(tmp_path: Path) -> None:
    (tmp_path / "q.csv").write_text('id , question, answer\n1, "What, then?", a dog \n , ,\n')
    assert read_table(tmp_path / "q.csv").rows == [{"id": "1", "question": "What, then?", "answer": "a dog"}]


def test_a_name_is_a_file_by_its_ending() -> None:
    assert [is_table(name) for name in ("mine.json", "a/b.PARQUET", "mmau", "auditorybench++")] == [
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("q.csv", "question,choice,choice\nWhat?,dog,cat\n", "its header names 'choice' twice"),
        ("q.json", json.dumps({"train": ROWS, "test": ROWS}), "holds several lists of rows, 'train', 'test'; keep one"),
    ],
)
def test_rows_that_would_be_lost_are_refused(tmp_path: Path, name: str, content: str, said: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(BadConfig, match=said):
        read_table(tmp_path / name)


def test_the_first_line_decides_the_delimiter_even_where_another_mark_is_more_frequent() -> None:
    header, rows = read_csv("x", "sep=;\nquestion, in words;the answer, one\nWhat, then?;a, b\n")
    assert (header, list(rows)) == (["question, in words", "the answer, one"], [["What, then?", "a, b"]])


def test_a_column_may_be_called_sep() -> None:
    assert read_csv("x", "sep,other\n1,2\n").header == ["sep", "other"]


def test_a_row_with_more_cells_than_the_header_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"x, row 2, has 3 cells; its header names 2\."):
        list(read_csv("x", "a,b\n1,2\n1,2,3\n").rows)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.jsonl.gz", "\n".join(map(json.dumps, ROWS))),
        ("q.JSON.GZ", json.dumps(ROWS)),
        ("q.csv.gz", "file,question\na.wav,What?\nb.wav,Who?\n"),
        ("q.ndjson.gz", "\n".join(map(json.dumps, ROWS))),
        ("q.jsonl", "\n".join(map(json.dumps, ROWS))),
    ],
)
def test_compressed_files(tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_bytes(gzip.compress(text.encode()))
    assert is_table(name)
    assert list(read_table(file).rows) == ROWS
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(BadConfig, match="is compressed by gzip, and damaged: Compressed file ended"):
        read_table(file)


def test_a_cell_may_be_long(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    file.write_text(f"file,question\na.wav,{'What? ' * 50_000}\n")
    assert len(str(read_table(file).rows[0]["question"])) == 300_000 - 1


def test_a_cell_too_many_is_an_error_unless_it_is_empty(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    file.write_text("file,question\na.wav,What?,,\nb.wav,Who?,,x\n")
    with pytest.raises(BadConfig, match="row 2, has 4 cells; its header names 2"):
        read_table(file)


ASKED = ({"question": "What?"}, {"question": "Who?", "id": "own"})


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (
            [{"file": "a.wav", "id": 7, "asked": ASKED}, {"file": "b.wav", "id": 8, "asked": ASKED[:1]}],
            [
                {"file": "a.wav", "id": "7-1", "question": "What?"},
                {"file": "a.wav", "id": "own", "question": "Who?"},
                {"file": "b.wav", "id": "8-1", "question": "What?"},
            ],
        ),
        (
            {"a.wav": ASKED[:1], "b.wav": ASKED[:1]},
            [{KEY: f"{clip}-1", CLIP: clip, "question": "What?"} for clip in ("a.wav", "b.wav")],
        ),
        (
            {"a.wav": {"asked": ASKED[:1]}, "b.wav": {"asked": ASKED[:1]}},
            [{KEY: f"{clip}-1", CLIP: clip, "question": "What?"} for clip in ("a.wav", "b.wav")],
        ),
        (
            [{"file": "a.wav", "asked": ASKED[:1]}, {"file": "b.wav"}],
            [{"file": "a.wav", **ASKED[0]}, {"file": "b.wav"}],
        ),
        ([{"question": "What?", "asked": ASKED}], [{"question": "What?", "asked": list(ASKED)}]),
        ([{"one": ASKED, "two": ASKED}], [{"one": list(ASKED), "two": list(ASKED)}]),
    ],
)
def test_several_questions_about_a_clip_are_as_many_rows(
    tmp_path: Path, content: object, rows: list[dict[str, object]]
) -> None:
    file = tmp_path / "q.json"
    file.write_text(json.dumps(content))
    assert list(read_table(file).rows) == rows


def test_lists_under_keys_that_are_no_clips_stay_apart(tmp_path: Path) -> None:
    file = tmp_path / "q.json"
    file.write_text(json.dumps({"train": ASKED, "test": ASKED}))
    with pytest.raises(BadConfig, match="holds several lists of rows, 'train', 'test'; keep one of them in the file"):
        read_table(file)
