import pytest

from eval.benchmarks.csv_rows import read_csv
from services.errors import BadConfig


def test_the_first_line_decides_the_delimiter_even_where_another_mark_is_more_frequent() -> None:
    header, rows = read_csv("x", "sep=;\nquestion, in words;the answer, one\nWhat, then?;a, b\n")
    assert (header, list(rows)) == (["question, in words", "the answer, one"], [["What, then?", "a, b"]])


def test_a_column_may_be_called_sep() -> None:
    assert read_csv("x", "sep,other\n1,2\n").header == ["sep", "other"]


def test_a_row_with_more_cells_than_the_header_is_refused() -> None:
    with pytest.raises(BadConfig, match=r"x, row 2, has 3 cells; its header names 2\."):
        list(read_csv("x", "a,b\n1,2\n1,2,3\n").rows)
