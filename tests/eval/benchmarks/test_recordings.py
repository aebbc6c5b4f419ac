"""The field that holds recordings, in files whose values are odd in some rows."""

import re
from typing import Any

import pytest

from eval.benchmarks.benchmark import Item
from eval.benchmarks.detection import detect_fields, detect_recordings, is_nested
from eval.benchmarks.fields import FieldNames
from eval.benchmarks.mapped import make_items
from eval.benchmarks.tables import Table, list_paths, unfold
from services.errors import BadConfig

ASKED = {"question": "What?", "choices": ["dog", "cat"], "answer": "cat"}


def find(*values: object, field: str = "audio") -> str | tuple[str, ...] | None:
    return detect_fields("Q", Table([{**ASKED, field: value} for value in values], ""), FieldNames()).audio


@pytest.mark.parametrize(
    "odd",
    ["", "4", "clip four", 4, [], {"bytes": None, "path": None}, {}, "4.xyz", ["x.wav", ""], '["a.wav", "b.wav"]'],
)
def test_one_odd_value_does_not_hide_the_recordings_of_all_others(odd: object) -> None:
    assert find("1.wav", "2.wav", odd) == "audio"


@pytest.mark.parametrize("values", [(1, 2), ("my clip", "another one"), (["a", "b"], ["c"]), ("a", "b")])
def test_a_field_that_is_called_audio_holds_names_or_numbers_of_clips(values: tuple[object, ...]) -> None:
    assert find(*values) == "audio"


def test_nothing_else_is_a_recording() -> None:
    assert find("a bark", "a mew", field="sound") is None
    assert find(1, 2, field="file") is None
    assert find(*[one > 1 for one in (1, 2)]) is None
    assert find("", "") is None


@pytest.mark.parametrize("samples", [[0.1] * 9, {"array": [0.1], "sampling_rate": 16_000}])
def test_samples_are_refused(samples: object) -> None:
    with pytest.raises(BadConfig, match=r"^Q: its field 'audio' holds decoded samples"):
        find(samples, samples)


def test_two_fields_under_no_usual_name() -> None:
    rows = [{**ASKED, "left": "a.wav", "side": "b.wav"}]
    with pytest.raises(BadConfig, match="'left' or 'side' may be the audio; say which with --fields audio=left"):
        detect_recordings("Q", Table(rows, ""), FieldNames())


def read(*rows: dict[str, Any]) -> list[Item]:
    table = Table(rows, "")
    table = unfold(table, is_nested=is_nested(table, FieldNames()))
    return list(make_items("Q", table, detect_fields("Q", table, FieldNames())))


def test_a_recording_inside_an_object_is_found_beside_a_question_outside() -> None:
    assert [item.audio for item in read({**ASKED, "metadata": {"audio": "a.wav"}})] == [("a.wav",)]
    assert [item.audio for item in read({**ASKED, "metadata": {"speaker": "Ann"}})] == [()]


def test_recordings_in_one_cell() -> None:
    found = read({**ASKED, "audio": '["a.wav", "b.wav"]'}, {**ASKED, "audio": "['c.wav' 'd.wav']"})
    assert [item.audio for item in found] == [("a.wav", "b.wav"), ("c.wav", "d.wav")]


def test_paths_of_other_systems() -> None:
    assert list_paths([{"path": "a\\b.wav"}, "file:///c/d%20e.wav", None, 7.0]) == ["a/b.wav", "/c/d e.wav", "7"]
    assert re.search("/", list_paths("a/b\\c.wav")[0])
