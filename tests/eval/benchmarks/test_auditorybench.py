"""AuditoryBench++: one CSV file a task, by path or all together."""

import json
from pathlib import Path

import pytest

from eval.benchmarks import auditorybench, find
from services.environment import Settings
from services.errors import BadConfig


def task(tmp_path: Path, name: str, content: str) -> str:
    (tmp_path / name).mkdir(parents=True, exist_ok=True)
    file = tmp_path / name / "test.csv"
    file.write_text(content, encoding="utf-8")
    return str(file)


PITCH = (
    'sentence,answer\n"The sound of a flute typically has a [MASK] pitch than a tuba.",higher\n'
    '"A whale has a [MASK] pitch than a bat.",lower\n'
)


def test_a_comparison_has_its_answers_as_options(tmp_path: Path) -> None:
    first, second = auditorybench.read(Path(task(tmp_path, "pitch", PITCH))).items
    assert first.question == "The sound of a flute typically has a ___ pitch than a tuba."
    assert (first.choices, first.answer, first.task, first.modality) == (("higher", "lower"), "higher", "pitch", "text")
    assert (first.id, second.id, second.answer) == ("pitch-1", "pitch-2", "lower")


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    ['["cat", "dog, wild", "cow"]', "['cat', 'dog, wild', 'cow']", "cat|dog, wild|cow", "cat; dog, wild; cow"],
)
def test_options_in_a_cell(tmp_path: Path, options: str) -> None:
    cell = options.replace('"', '""')
    content = f'question,options,answer\nWhich animal meows?,"{cell}",cat\n'
    (item,) = find(task(tmp_path, "animal", content)).items
    assert (item.choices, item.answer) == (("cat", "dog, wild", "cow"), "cat")


def test_columns_with_other_names(tmp_path: Path) -> None:
    content = "nr,what,first,second,which\n9,Which is louder?,a jet,a mouse,A\n"
    name = task(tmp_path, "loudness", content)
    mapping = {"id": "nr", "question": "what", "choices": ["first", "second"], "answer": "which"}
    (tmp_path / "loudness" / "test.fields.json").write_text(json.dumps(mapping))
    (item,) = auditorybench.read(Path(name)).items
    assert (item.id, item.choices, item.answer) == ("loudness-9", ("a jet", "a mouse"), "a jet")


def test_a_column_that_is_missing_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"none of its fields is known to hold the question .* they are frage, answer"):
        find(task(tmp_path, "pitch", "frage,answer\nWhich?,higher\nWhat?,lower\n"))


@pytest.mark.slow
def test_an_answer_that_is_not_an_option(tmp_path: Path) -> None:
    content = "question,choices,answer\nWhich?,a|b,c\n"
    with pytest.raises(BadConfig, match="row 1, field 'answer': 'c' is none of the choices"):
        find(task(tmp_path, "animal", content))


@pytest.mark.parametrize("cell", ["[a", "[1 2", "[__import__('os')]"])
def test_options_that_cannot_be_read(tmp_path: Path, cell: str) -> None:
    with pytest.raises(BadConfig, match="row 1, field 'choices': "):
        find(task(tmp_path, "animal", f'question,choices,answer\nWhich?,"{cell}",c\n'))


def test_an_empty_file(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="holds no items"):
        find(task(tmp_path, "animal", "question,choices,answer\n"))


def test_all_tasks_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditorybench, "read_settings", lambda: Settings(home=tmp_path))
    with pytest.raises(BadConfig, match=r"auditorybench\+\+ is not at .*HJOK/AuditoryBenchpp"):
        find("auditorybench++")
    folder = tmp_path / "benchmarks" / "auditorybench++"
    task(folder, "pitch", PITCH)
    task(folder, "duration", "prompt,label\nA or B?,A\nB or A?,B\n")
    found = find("auditorybench++")
    assert [item.id for item in found.items] == ["pitch-1", "pitch-2", "duration-1", "duration-2"]
    assert found.name == "auditorybench++"
