"""Benchmarks that a YAML file declares: rows of our own in the shape of each official file."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import BENCHMARKS, DECLARED, akb, auditorybench, find, mmar, mmau, named
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
    "star-bench": [
        {
            "id": "tr_OSM_1",
            "audio_paths": ["s/1.wav"],
            "question": "Which comes first?",
            "options": ["rain", "a dog"],
            "answer": "a dog",
            "task": "order",
            "category": "time",
        }
    ],
    "mecat-qa": [
        {
            "clip_1_ab": {
                "category": "quality",
                "difficulty": "basic",
                "question": "How clear is it?",
                "answer": "Very clear",
                "domain": "000",
            }
        }
    ],
    "speech-ifeval": [
        {
            "id": 0,
            "audio_filepath": "asr/1.flac",
            "textual_audio": "[00:00:00 - 00:00:05] Hello!",
            "instruction": "Write down what is said, in capitals.",
            "dataset": "asr",
            "metric": "wer",
            "instruction_id_list": ["change_case:english_capital"],
            "kwargs": [{}],
            "label": "HELLO",
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
TABLES = {
    "audio-entailment": ENTAILMENT,
    "auditorybench": "sentence,answer,span1,span2\nRain has a [MASK] pitch than thunder.,higher,Rain,thunder\n",
    "auditorybench-animal": "animal,description,sentence\nowl,hoot,Hoot is the sound a [MASK] makes.\n",
}
RIGHT = {
    "auditorybench": [("Rain has a ___ pitch than thunder.", "higher", "")],
    "auditorybench-animal": [("Hoot is the sound a ___ makes.", "owl", "")],
    "star-bench": [("Which comes first?", "a dog", "s/1.wav")],
    "mecat-qa": [("How clear is it?", "Very clear", "clip_1_ab")],
    "speech-ifeval": [("Write down what is said, in capitals.", "HELLO", "asr/1.flac")],
    "sakura": [("Which animal is heard?", "cow", "data/Animal/audio/cow1.wav"), ("What does it give?", "milk", None)],
    "speechr": [("Choose A for True or B for False.\nQuestion:\nIs it so?", "False", "clips/quiz-1.wav")],
    "speechr-acoustic": [("Choose A for True or B for False.\nQuestion:\nIs it so?", "False", "clips/quiz-1.wav")],
    "mdar": [("谁？", "乙", "./a/1.wav")],
    "mmsu": [("Who?", "Bob", "audio/m1.wav")],
    "mmau-pro": [("Who?", "Ann", "data/p1.wav")],
    "air-bench": [("Who?", "Cy", "Names_ours/1.wav")],
    "muchomusic": [("Question: Which? \n Options:", "Jazz", "1.mp3")],
}


def test_a_declaration_is_read_once() -> None:
    assert named.read_declaration("mmsu") is named.read_declaration("mmsu")


def write(folder: Path, name: str) -> Path:
    declared = named.read_declaration(name)
    wild = next((pattern for part in declared.parts for pattern in part.files if "*" not in pattern), "*.jsonl")
    file = folder / declared.files[0].replace(f"*{Path(wild).suffix}", wild).replace("*", "Animal")
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = SHAPES.get(name)
    lines = "\n".join(map(json.dumps, rows)) if file.suffix == ".jsonl" and isinstance(rows, list) else json.dumps(rows)
    file.write_text(TABLES[name] if rows is None else lines)
    return file


@pytest.mark.parametrize("name", sorted(RIGHT.keys() - {"mmau-pro"}))  # its file is Parquet: test_parquet.py
def test_by_name_and_by_the_shape_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(named, "read_settings", lambda: Settings(home=tmp_path))
    file = write(tmp_path / "benchmarks" / name, name)
    benchmark, same = find(name), find(str(file))
    assert (benchmark.name, same.declared) == (name, name)
    assert benchmark.items == same.items
    for item, (question, answer, audio) in zip(benchmark.items, RIGHT[name], strict=True):
        assert (item.question, item.answer) == (question, answer)
        assert audio is None or item.audio == ((audio,) if audio else ())


def test_rows_of_two_options_alone_are_found_by_their_shape(tmp_path: Path) -> None:
    (row,) = SHAPES["air-bench"]
    fewer = {key: value for key, value in row.items() if key not in {"choice_c", "choice_d"}}
    file = tmp_path / "some.json"
    file.write_text(json.dumps([fewer | {"answer_gt": "Bob"}]))
    found = find(str(file))
    assert (found.declared, found.official_rule, found.items[0].choices) == ("air-bench", "air-bench", ("Ann", "Bob"))


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
    monkeypatch.setattr(named, "read_settings", lambda: Settings(home=tmp_path))
    with pytest.raises(BadConfig) as raised:
        find(name)
    said = str(raised.value)
    assert f"{name} is not in {tmp_path / 'benchmarks' / name}" in said
    assert named.read_declaration(name).source in said


@pytest.mark.parametrize("name", sorted(set(BENCHMARKS) - {"akb-open"}))
def test_every_name_says_under_which_licence_its_files_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for module in (named, akb, auditorybench, mmar, mmau):
        monkeypatch.setattr(module, "read_settings", lambda: Settings(home=tmp_path))
    with pytest.raises(BadConfig, match=r"Licence: \S.*") as raised:
        find(name)
    assert str(tmp_path) in str(raised.value)


def test_mmlu_and_mmlu_pro_are_read_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(named, "read_settings", lambda: Settings(home=tmp_path))
    mmlu = {"question": "2 + 2?", "subject": "algebra", "choices": ["3", "4", "5", "6"], "answer": 1}
    pro = {"question_id": 7, "question": "2 + 2?", "options": ["3", "4"], "answer": "B", "category": "math"}
    for name, row in (("mmlu", mmlu), ("mmlu-pro", pro)):
        (tmp_path / "benchmarks" / name).mkdir(parents=True)
        (tmp_path / "benchmarks" / name / "test.jsonl").write_text(json.dumps(row) + "\n")
        (item,) = find(name).items
        assert (item.answer, item.task, item.audio) == ("4", row.get("subject", row.get("category")), ())
    assert find("mmlu-pro").official_rule == "mmlu-pro"
