"""Benchmarks that a YAML file declares: rows of our own in the shape of each official file."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import DECLARED, find, named
from services.environment import Settings
from services.errors import BadConfig

ROWS = json.loads((Path(__file__).parents[2] / "data" / "benchmark-rows.json").read_text())
SPEECHR = {
    "id": "quiz-1",
    "question": "What is spoken in the clip?",
    "options": [True, False],
    "label": 2,
    "instruction": "Choose A for True or B for False.",
    "prompt": "Choose A for True or B for False.\nQuestion:\nIs it so?\nA. True\nB. False",
    "audio_path": "clips/quiz-1.wav",
}
SHAPES: dict[str, Any] = {
    "sakura": {
        "data/Animal/audio/cow1.wav": {
            "attribute_label": "cow",
            "single_instruction": "Which animal is heard? (a) cow (b) hen",
            "single_answer": "(a) cow",
            "multi_instruction": "What does it give? (a) eggs (b) milk",
            "multi_answer": "(b) milk",
        }
    },
    "speechr": [SPEECHR],
    "speechr-acoustic": [SPEECHR | {"highlight": ["so"], "emotion": "sad"}],
    "mdar": [
        {
            "id": "1",
            "audio_path": "./a/1.wav",
            "question": "谁？",
            "chosens": ["甲", "乙"],
            "answer": "乙",
            "category": "人物",
        }
    ],
    "mmsu": [ROWS["mmsu"]],
    "mmau-pro": [ROWS["mmau-pro"]],
    "air-bench": [
        {
            "path": "1.wav",
            "question": "Who?",
            "choice_a": "Ann",
            "choice_b": "Bob",
            "choice_c": "Cy",
            "choice_d": "Di",
            "answer_gt": "Cy",
            "task_name": "Names",
            "dataset_name": "ours",
            "uniq_id": 0,
        }
    ],
    "muchomusic": [
        {
            "id": 1,
            "prompt": "Question: Which? \n Options: (A) Pop (B) Jazz ",
            "answers": ["Pop", "Jazz"],
            "answer_orders": [1, 0],
            "dataset": "ours",
            "genre": "x",
            "audio_path": "1.mp3",
        }
    ],
}
ENTAILMENT = (
    "Dataset,Audio file,Caption,Entailment,Neutral,Contradiction\n"
    "Ours,one,A dog barks,An animal is heard,A dog is hungry,It is silent\n"
)
RIGHT = {
    "sakura": [("Which animal is heard?", "cow", "data/Animal/audio/cow1.wav"), ("What does it give?", "milk", None)],
    "speechr": [("Choose A for True or B for False.\nQuestion:\nIs it so?", "False", "clips/quiz-1.wav")],
    "speechr-acoustic": [("Choose A for True or B for False.\nQuestion:\nIs it so?", "False", "clips/quiz-1.wav")],
    "mdar": [("谁？", "乙", "./a/1.wav")],
    "mmsu": [("Who?", "Bob", "audio/m1.wav")],
    "mmau-pro": [("Who?", "Ann", "data/p1.wav")],
    "air-bench": [("Who?", "Cy", "Names_ours/1.wav")],
    "muchomusic": [("Question: Which? \n Options:", "Jazz", "1.mp3")],
}


def write(folder: Path, name: str) -> Path:
    declared = named.read_declaration(name)
    file = folder / declared.files[0].replace("*", "Animal")
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = SHAPES.get(name)
    lines = "\n".join(map(json.dumps, rows)) if file.suffix == ".jsonl" and isinstance(rows, list) else json.dumps(rows)
    file.write_text(ENTAILMENT if rows is None else lines)
    return file


@pytest.mark.parametrize("name", sorted(SHAPES.keys() - {"mmau-pro"}))  # its file is Parquet: test_parquet.py
def test_by_name_and_by_the_shape_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(named, "settings", lambda: Settings(home=tmp_path))
    file = write(tmp_path / "benchmarks" / name, name)
    benchmark, same = find(name), find(str(file))
    assert (benchmark.name, same.declared) == (name, name)
    assert benchmark.items == same.items
    for item, (question, answer, audio) in zip(benchmark.items, RIGHT[name], strict=True):
        assert (item.question, item.answer) == (question, answer)
        assert audio is None or item.audio == audio


def test_entailment_asks_three_hypotheses_of_a_clip(tmp_path: Path) -> None:
    file = tmp_path / "ours_test.csv"
    file.write_text(ENTAILMENT)
    benchmark = find(str(file))
    assert [(item.id, item.answer) for item in benchmark.items] == [
        ("Ours-1-entailment", "entailment"),
        ("Ours-1-neutral", "neutral"),
        ("Ours-1-contradiction", "contradiction"),
    ]
    assert "A dog is hungry" in benchmark.items[1].question
    assert {item.choices for item in benchmark.items} == {("entailment", "neutral", "contradiction")}


def test_sakuras_two_questions_share_a_recording(tmp_path: Path) -> None:
    items = find(str(write(tmp_path, "sakura"))).items
    assert [(item.category, item.task, item.cluster) for item in items] == [
        ("single hop", "Animal", "data/Animal/audio/cow1.wav"),
        ("multi hop", "Animal", "data/Animal/audio/cow1.wav"),
    ]


@pytest.mark.parametrize("name", DECLARED)
def test_a_benchmark_that_is_not_there_says_where_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(named, "settings", lambda: Settings(home=tmp_path))
    with pytest.raises(BadConfig) as raised:
        find(name)
    said = str(raised.value)
    assert f"{name} is not in {tmp_path / 'benchmarks' / name}" in said
    assert named.read_declaration(name).source in said
