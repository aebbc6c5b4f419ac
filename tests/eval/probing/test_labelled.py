"""Labelled sets: any benchmark and any table of recordings; what cannot be probed is named."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.benchmarks.fields import FieldNames
from eval.probing.labelled import LabelledSet, label_clips, read_labels
from services.errors import BadConfig

WriteTable = Callable[[list[dict[str, object]]], Path]
BY_RECORDING = FieldNames(cluster="take")


@pytest.fixture
def write_table(tmp_path: Path) -> WriteTable:
    """Return how a CSV of recordings is written, each of them there."""

    def written(rows: list[dict[str, object]]) -> Path:
        with (tmp_path / "set.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        for row in rows:
            (tmp_path / str(row["clip"])).touch()
        return tmp_path / "set.csv"

    return written


def rows(*labels: str) -> list[dict[str, object]]:
    return [{"clip": f"{n}.wav", "kind": label, "take": f"take {n // 2}"} for n, label in enumerate(labels)]


def label(file: Path, name: str = "kind", num: int = 2, fields: FieldNames | None = None) -> LabelledSet:
    return label_clips(read_labels(str(file), name, None, fields), name, num)


def test_a_table_of_recordings_needs_no_questions(write_table: WriteTable, tmp_path: Path) -> None:
    found = label(write_table(rows("dog", "dog", "cat", "cat", "cat")))
    assert [(clip.path, clip.label) for clip in found.clips] == [
        (tmp_path / f"{n}.wav", kind) for n, kind in enumerate(("dog", "dog", "cat", "cat", "cat"))
    ]
    assert found.classes == ("cat", "dog")
    assert not found.has_options


def test_a_class_counts_its_recordings_and_not_its_clips(write_table: WriteTable) -> None:
    table = write_table(rows("dog", "dog", "cat", "cat", "cow", "cow", "cow", "cow", "cat", "cat"))
    assert set(label(table).classes) == {"dog", "cat", "cow"}
    by_take = label(table, fields=BY_RECORDING)
    assert set(by_take.classes) == {"cat", "cow"}  # the dogs are both of take 0
    assert by_take.left_out == {"of a class with fewer than 2 recordings": 2}


def test_rows_without_a_label_are_left_out_and_counted(write_table: WriteTable) -> None:
    found = label(write_table(rows("dog", "", "dog", "cat", "cat")))
    assert len(found.clips) == 4
    assert found.left_out == {"without a label": 1}


@pytest.mark.parametrize(
    ("labels", "name", "num", "message"),
    [
        (("dog", "dog", "cat", "cat"), "sort", 2, "names no field of .*it has clip, kind, take.*answer, task"),
        (("dog", "dog", "dog"), "kind", 2, "needs two classes with 2 recordings.*leaves only 'dog'"),
        (("dog", "dog", "cat"), "kind", 2, r"leaves only 'dog' \(1 of a class with fewer than 2 recordings\)"),
        (("dog", "cat", "cow"), "kind", 5, r"leaves none \(3 of a class with fewer than 5 recordings\).*fewer --folds"),
    ],
)
def test_what_cannot_be_probed_is_one_line(
    write_table: WriteTable, labels: tuple[str, ...], name: str, num: int, message: str
) -> None:
    with pytest.raises(BadConfig, match=message):
        label(write_table(rows(*labels)), name, num)


def test_recordings_that_are_not_there_are_counted(write_table: WriteTable, tmp_path: Path) -> None:
    table = write_table(rows("dog", "dog", "cat", "cat"))
    (tmp_path / "3.wav").unlink()
    with pytest.raises(BadConfig, match=r"1 of 4 labelled recordings are not there, the first at .*3\.wav"):
        label(table)


def test_a_table_without_recordings_says_so(tmp_path: Path) -> None:
    (tmp_path / "set.csv").write_text("kind,size\ndog,3\ncat,4\n")
    with pytest.raises(BadConfig, match="none of its fields is known to hold the recording"):
        label(tmp_path / "set.csv")


def test_a_named_benchmark_has_no_other_labels() -> None:
    with pytest.raises(BadConfig, match="--label 'mood' is not known of akb-open; these are: answer, task"):
        read_labels("akb-open", "mood")


@pytest.mark.slow
def test_questions_about_no_recording_cannot_be_probed() -> None:
    with pytest.raises(BadConfig, match=r"leaves none \(\d+ about no recording\)"):
        label_clips(read_labels("akb-open", "category"), "category", 2)


def write_questions(tmp_path: Path, rows: list[dict[str, object]]) -> Path:
    for number in range(len(rows)):
        (tmp_path / f"{number}.wav").touch()
    file = tmp_path / "asked.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def test_a_question_about_several_recordings_is_left_out_and_counted(tmp_path: Path) -> None:
    asked: list[dict[str, object]] = [
        {"audio": f"{n}.wav", "question": "What?", "choices": ["dog", "cat"], "answer": ("dog", "cat")[n % 2]}
        for n in range(4)
    ]
    pair = asked[0] | {"audio": ["0.wav", "1.wav"]}
    found = label(write_questions(tmp_path, [*asked, pair]), "answer")
    assert (len(found.clips), found.left_out) == (4, {"about several recordings": 1})


@pytest.mark.slow
def test_answers_are_classes_and_options_are_known_where_all_have_some(tmp_path: Path) -> None:
    asked: list[dict[str, object]] = [
        {"audio": f"{n}.wav", "question": "What?", "choices": ["dog", "cat", "bell"], "answer": ("dog", "cat")[n % 2]}
        for n in range(4)
    ]
    file = write_questions(tmp_path, asked)
    found = label(file, "answer")
    assert found.has_options
    assert found.clips[0].choices == ("dog", "cat", "bell")
    benchmark = read_labels(str(file), "answer")
    with pytest.raises(BadConfig, match="of the 3 items"):
        label_clips(benchmark, "answer", 2, {"1", "2", "3"})
