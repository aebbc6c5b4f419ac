"""Metadata rows."""

from pathlib import Path

import pytest

from lalm.distill.metadata import filter_by_licence, read_metadata
from services.errors import BadConfig

ROW = (
    '{"id": "1", "audio": "a.ogg", "duration": 2.0, "task": "speech", "license": "%s", "sample_rate": 16000, '
    '"caption": "Telephone announcement. English meaning: \\"Press \\"one\\".\\""}\n'
)


def test_a_row_is_read_and_columns_that_we_do_not_know_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(ROW % "CC0" + "\n")
    (row,) = read_metadata(tmp_path / "rows.jsonl")
    assert (row.id, row.labels, row.translation, row.spans) == ("1", (), "", ())


def test_a_row_that_lacks_a_column_is_named(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").write_text(ROW % "CC0" + '{"id": "2"}\n')
    with pytest.raises(BadConfig) as caught:
        read_metadata(tmp_path / "rows.jsonl")
    assert "rows.jsonl:2 is not a metadata row: audio: Field required." in str(caught.value)
    assert "It needs id, audio, duration, task, caption, license." in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (ROW + ROW, "row 2, field 'id': '1' is already the id of row 1; ids must be unique."),
        (ROW.replace("2.0", "-3"), "duration: Input should be greater than or equal to 0."),
        (ROW.replace("2.0", "1e999"), "duration: Input should be a finite number."),
    ],
)
def test_ids_are_unique_and_durations_are_lengths(tmp_path: Path, lines: str, reason: str) -> None:
    (tmp_path / "rows.jsonl").write_text(lines.replace("%s", "CC0"))
    with pytest.raises(BadConfig) as caught:
        read_metadata(tmp_path / "rows.jsonl")
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("licence", "dropped", "is_kept"),
    [
        ("CC BY-NC-SA 4.0", ("NC",), False),
        ("CC BY-SA 4.0", ("NC",), True),
        ("CC BY-SA 4.0", ("NC", "SA"), False),
        ("Custom SYNC licence", ("NC",), True),
        ("CC BY-NC-SA 4.0", (), True),
    ],
)
def test_a_licence_is_dropped_by_whole_words(
    tmp_path: Path, licence: str, dropped: tuple[str, ...], is_kept: bool
) -> None:
    (tmp_path / "rows.jsonl").write_text(ROW % licence)
    assert bool(filter_by_licence(read_metadata(tmp_path / "rows.jsonl"), dropped)) is is_kept
