"""AKB's shape: the loader with any field names, and the validator of the taxonomy."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import akb, find
from eval.benchmarks.benchmark import Item
from services.environment import Settings
from services.errors import BadConfig

ROW = {
    "id": "1",
    "question": "Which is higher?",
    "choices": ["a flute", "a tuba", "a cello", "a bass"],
    "answer": "a flute",
    "category": "Music",
    "sub_category": "Instruments",
}


def write(file: Path, *rows: dict[str, Any]) -> str:
    file.write_text(json.dumps(list(rows)))
    return str(file)


def test_the_default_fields(tmp_path: Path) -> None:
    (item,) = find(write(tmp_path / "akb.json", ROW)).items
    assert item == Item(**ROW | {"choices": tuple(ROW["choices"])}, task="Music", modality="text")


def test_options_by_letter_and_an_answer_by_letter(tmp_path: Path) -> None:
    by_letter = dict(zip("BADC", ROW["choices"], strict=True))
    (item,) = find(write(tmp_path / "akb.json", ROW | {"choices": by_letter, "answer": "(B)"})).items
    assert item.choices == ("a tuba", "a flute", "a bass", "a cello")
    assert item.answer == "a flute"


def test_an_option_that_is_a_letter_is_meant_as_text_where_other_answers_are_texts(tmp_path: Path) -> None:
    notes = {"choices": ["D", "C", "B", "A"], "answer": "B"}
    item, _ = find(write(tmp_path / "akb.json", ROW | notes, ROW | {"id": "2", "answer": "a flute"})).items
    assert item.answer == "B"


def test_other_names_of_the_fields(tmp_path: Path) -> None:
    options = dict(zip(("opt_a", "opt_b", "opt_c", "opt_d"), ROW["choices"], strict=True))
    row = {"uid": 7, "q": "Which is lower?", **options, "key": "B", "area": "Music", "topic": "Instruments"}
    mapping = {"id": "uid", "question": "q", "choices": list(options), "answer": "key"}
    (tmp_path / "akb.fields.json").write_text(json.dumps(mapping | {"category": "area", "sub_category": "topic"}))
    (item,) = find(write(tmp_path / "akb.json", row)).items
    assert (item.id, item.question, item.answer) == ("7", "Which is lower?", "a tuba")
    assert (item.category, item.sub_category) == ("Music", "Instruments")


def test_an_unknown_field_in_the_mapping_is_named(tmp_path: Path) -> None:
    (tmp_path / "akb.fields.json").write_text('{"qestion": "q"}')
    with pytest.raises(BadConfig, match=r"'qestion': Extra inputs.*fields that can be named are id, audio, question"):
        find(write(tmp_path / "akb.json", ROW))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"answer": "a harp"}, "row 1, field 'answer': 'a harp' is none of the choices"),
        ({"question": " "}, "row 1, field 'question': is empty"),
        ({"choices": "a flute"}, "row 1, field 'choices'"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    with pytest.raises(BadConfig, match=message):
        find(write(tmp_path / "akb.json", ROW | change))


def test_a_missing_field_is_named(tmp_path: Path) -> None:
    without = find(write(tmp_path / "akb.json", {name: ROW[name] for name in ("id", "question", "answer")}))
    with pytest.raises(BadConfig, match=r"its first question has no options; .*--fields choices=NAME"):
        without.require_askable()


def test_the_unreleased_benchmark_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(akb, "read_settings", lambda: Settings(home=tmp_path))
    with pytest.raises(BadConfig, match=r"have not released it.*akb-open is our own"):
        find("akb")


@pytest.mark.slow
def test_it_is_about_text_only() -> None:
    with pytest.raises(BadConfig, match="akb-open is about text only; ask it with --path text"):
        find("akb-open").require_audio()


OPEN = akb.load_open().items


def test_akb_open_has_the_published_shape() -> None:
    assert akb.find_problems(OPEN, num_per_sub_category=30) == ()
    assert len(OPEN) == 1440


def changed(number: int, **update: object) -> Callable[[list[Item]], list[Item]]:
    return lambda items: [*items[:number], items[number].model_copy(update=update), *items[number + 1 :]]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda items: items[:30] + items[60:], "47 sub-categories, not 48"),
        (lambda items: [item for item in items if item.category != "Music"], "5 categories, not 6"),
        (lambda items: items[1:], "has 29 rows, not 30"),
        (changed(0, category="Music"), "'Loudness and distance' is in 2 categories"),
        (changed(0, id=OPEN[1].id), "is there 2 times"),
        (changed(0, question=OPEN[1].question), "is there 2 times"),
        (changed(0, choices=("1", "1", "2", "3"), answer="1"), "has not 4 different options"),
        (changed(0, choices=("1", "2", "3"), answer="1"), "has not 4 different options"),
        (changed(0, answer="none of them"), "which is not an option"),
        (lambda items: [item.model_copy(update={"answer": item.choices[2]}) for item in items], "is C in 100.0%"),
    ],
)
def test_another_shape_is_found(change: Callable[[list[Item]], list[Item]], problem: str) -> None:
    assert any(problem in found for found in akb.find_problems(change(list(OPEN)), num_per_sub_category=30))


def test_sizes_may_differ_where_none_is_asked() -> None:
    assert akb.find_problems(OPEN[1:]) == ()
