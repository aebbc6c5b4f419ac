"""Nested rows and flags of right options, in shapes that quiz platforms and other benchmarks write."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import find
from eval.benchmarks.fields import parse_fields
from services.errors import BadConfig


def write(folder: Path, *rows: dict[str, Any]) -> str:
    file = folder / "mine.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(file)


def test_a_question_inside_objects_is_found_with_its_options_and_clip(tmp_path: Path) -> None:
    row = {"qa": {"question": "What?", "options": ["dog", "cat"], "answer": "B"}, "media": {"audio": {"path": "1.wav"}}}
    benchmark = find(write(tmp_path, row))
    (item,) = benchmark.items
    assert (item.question, item.choices, item.answer, item.audio) == ("What?", ("dog", "cat"), "cat", ("1.wav",))
    assert "question = qa.question" in benchmark.describe_fields()


def test_a_stem_with_its_choices_below_the_question_as_arc_has_it(tmp_path: Path) -> None:
    choices = [{"text": "dog", "label": "A"}, {"text": "cat", "label": "B"}]
    (item,) = find(
        write(tmp_path, {"id": "7", "question": {"stem": "What?", "choices": choices}, "answerKey": "A"})
    ).items
    assert (item.id, item.question, item.choices, item.answer) == ("7", "What?", ("dog", "cat"), "dog")


def test_what_stands_at_the_top_wins_over_what_objects_hold(tmp_path: Path) -> None:
    row = {"question": "What?", "options": ["dog", "cat"], "answer": "dog", "meta": {"answer": "cat", "question": "no"}}
    (item,) = find(write(tmp_path, row)).items
    assert (item.question, item.answer) == ("What?", "dog")
    named = parse_fields(("answer=meta.answer",))
    assert find(write(tmp_path, row), fields=named).items[0].answer == "cat"


@pytest.mark.slow
def test_a_flag_marks_the_right_option_or_several(tmp_path: Path) -> None:
    options = [{"name": "dog", "is_correct": 0}, {"name": "cat", "is_correct": 1}, {"name": "cow", "is_correct": 0}]
    row = {"question": "What?", "options": options}
    benchmark = find(write(tmp_path, row))
    assert (benchmark.items[0].choices, benchmark.items[0].answer) == (("dog", "cat", "cow"), "cat")
    assert "answer = options.is_correct" in benchmark.describe_fields()
    several = row | {"options": [one | {"is_correct": 1} for one in options[:2]] + options[2:]}
    (item,) = find(write(tmp_path, several)).items
    assert (item.rule, item.answers) == ("exact set", ("dog", "cat"))


@pytest.mark.slow
def test_flags_that_mark_nothing_or_contradict_the_answer(tmp_path: Path) -> None:
    options = [{"text": "dog", "correct": False}, {"text": "cat", "correct": True}]
    marked = {"question": "What?", "options": options}
    unmarked = marked | {"options": [one | {"correct": False} for one in options]}
    items = find(write(tmp_path, marked, unmarked)).items
    assert [(item.answer, item.unsupported) for item in items] == [("cat", ""), ("", "has no right option")]
    with pytest.raises(BadConfig, match=r"'answer' or 'options\.correct' may be the answer; say which"):
        find(write(tmp_path, marked | {"answer": "dog"}))
    assert find(write(tmp_path, marked | {"answer": "cat"})).items[0].answer == "cat"


def test_without_any_question_the_top_fields_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="none of its fields is known to hold the question"):
        find(write(tmp_path, {"media": {"audio": "1.wav"}, "options": ["dog", "cat"]}))
