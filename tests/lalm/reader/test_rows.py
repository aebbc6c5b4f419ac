import json
from pathlib import Path

import pytest

from lalm.reader.rows import read_reader_rows
from services.errors import BadConfig

ROW = {"messages": [{"role": "user", "content": "?"}], "letters": ["A", "B"], "target": {"B": 1.0}, "id": 7}


def write(tmp_path: Path, **fields: object) -> Path:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**ROW, **fields}) + "\n")
    return path


def test_letters_that_the_target_leaves_out_have_no_probability(tmp_path: Path) -> None:
    (row,) = read_reader_rows(write(tmp_path))
    assert row.probabilities == (0.0, 1.0)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ({"C": 1.0}, "target names 'C', which is not one of the letters"),
        ({"A": 0.5}, "the probabilities of target have to sum to 1"),
        ({"A": -1.0, "B": 2.0}, "the probabilities of target have to sum to 1"),
    ],
)
def test_a_target_that_is_not_a_distribution_is_named_with_its_line(
    tmp_path: Path, target: dict[str, float], told: str
) -> None:
    path = write(tmp_path, target=target)
    with pytest.raises(BadConfig, match=r"rows\.jsonl:1") as error:
        list(read_reader_rows(path))
    assert told in str(error.value)


def test_a_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"python -m agents\.rows"):
        list(read_reader_rows(tmp_path / "nowhere.jsonl"))
