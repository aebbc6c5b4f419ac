"""Benchmarks by name, in the layout and with the oddities of what their authors publish; the rows are our own."""

import json
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import find, named
from eval.benchmarks.benchmark import NO_OPTIONS
from services.environment import Settings
from services.errors import BadConfig


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(named, "read_settings", lambda: Settings(home=tmp_path))
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path))
    return tmp_path / "benchmarks"


def write(file: Path, content: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content, encoding="utf-8")
    return file


def write_parquet(file: Path, rows: list[dict[str, Any]], labels: dict[str, list[str]] | None = None) -> None:
    pyarrow = pytest.importorskip("pyarrow", reason="pip install 'earwitness[parquet]'")
    from pyarrow import parquet

    columns = {name: {"_type": "ClassLabel", "names": names} for name, names in (labels or {}).items()}
    described = {"huggingface": json.dumps({"info": {"features": columns}})}
    file.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows).replace_schema_metadata(described), file)


STAR = {"question": "?", "task": "order", "category": "time", "options": ["yes", "no"], "answer": "no"}
ORDERS = [" -> ".join(f"clip {place}" for place in order) for order in permutations((1, 2, 3))]


def write_star_bench(folder: Path) -> None:
    clips = ["a/1.wav", "a/2.wav", "a/3.wav"]
    kinds = {
        "foundation_perception": [STAR | {"id": "x_1", "audio_paths": ["p.wav"]}],
        "holistic_reasoning_spatial": [STAR | {"id": "x_1", "audio_paths": ["s.wav"]}],
        "holistic_reasoning_temporal": [
            {key: value for key, value in STAR.items() if key != "answer"}
            | {"id": f"tr_{kind}_{number}", "audio_paths": clips, "options": ORDERS}
            for kind, number in (("OSM", 0), ("ISSE", 3), ("ETC", 12))
        ],
        "foundation_perception_total": [STAR | {"id": "x_1", "audio_paths": ["p.wav"]}],
    }
    for name, rows in kinds.items():
        write(folder / "meta_info" / f"{name}.json", json.dumps(rows))


def test_star_benchs_three_files_are_read_and_its_recordings_shuffled_as_by_its_script(home: Path) -> None:
    write_star_bench(home / "star-bench")
    items = find("star-bench").items
    # Ids that stand in two files are told apart; a file that repeats the others is left alone.
    assert [item.id for item in items[:2]] == ["foundation_perception-x_1", "holistic_reasoning_spatial-x_1"]
    assert len(items) == 5
    # By its script: order number + place of the kind, out of 123, 132, 213, 231, 312, 321, modulo 6.
    expected = {
        "OSM_0": ("123", "clip 1 -> clip 2 -> clip 3"),
        "ISSE_3": ("312", "clip 2 -> clip 3 -> clip 1"),
        "ETC_12": ("312", "clip 2 -> clip 3 -> clip 1"),
    }
    for item, (shown, answer) in zip(items[2:], expected.values(), strict=True):
        assert item.audio == tuple(f"a/{place}.wav" for place in shown), item.id
        assert (item.answer, item.unsupported) == (answer, "")


def test_a_question_of_star_bench_that_its_script_could_not_shuffle_is_not_asked(home: Path) -> None:
    write_star_bench(home / "star-bench")
    file = home / "star-bench" / "meta_info" / "holistic_reasoning_temporal.json"
    rows = json.loads(file.read_text())
    file.write_text(json.dumps([rows[0] | {"id": "tr_other_1"}, rows[1] | {"options": ORDERS[:2]}]))
    said = [item.unsupported for item in find("star-bench").items[2:]]
    assert said[0] == "has not the three recordings and the id of such a question"
    assert said[1] == "has not the option 'clip 2 -> clip 3 -> clip 1', which is right"
    # The file alone, at its own name, is read as what it is; at another it is a file of withheld answers.
    assert find(str(file)).declared == "star-bench"
    other = write(home / "mine.json", file.read_text())
    assert (find(str(other)).declared, find(str(other)).items[0].answer) == ("", None)


PRO = {"category": "sound", "length_type": "short", "task_identifier": None, "kwargs": None}


def test_mmau_pros_rows_without_a_right_option_fail_and_the_rest_is_asked(home: Path) -> None:
    rows = [
        {"id": "1", "audio_path": ["d/1.wav"], "question": "?", "choices": ["Dog", "Cat"], "answer": "Cat"},
        {"id": "2", "audio_path": ["d/1.wav"], "question": "?", "choices": ["Dog", "Cat"], "answer": "A lion"},
        {"id": "3", "audio_path": ["d/1.wav"], "question": "?", "choices": ["A dog"], "answer": "A dog"},
        {"id": "4", "audio_path": ["d/1.wav"], "question": "?", "choices": [], "answer": "A dog"},
    ]
    write_parquet(home / "mmau-pro" / "test.parquet", [row | PRO for row in rows])
    items = find("mmau-pro").items
    assert [item.unsupported for item in items] == [
        *("", "has the answer 'A lion', which is none of its options", NO_OPTIONS, NO_OPTIONS),
    ]
    assert [item.answer for item in items] == ["Cat", "A lion", "A dog", "A dog"]
    # In a file of another shape such a row is a mistake, and named.
    mine = write(home / "mine.json", json.dumps([{key: row[key] for key in row if key != "id"} for row in rows]))
    with pytest.raises(BadConfig, match="row 2, field 'answer': 'A lion' is none of the choices"):
        find(str(mine))


HUB_ROW = {
    "id": "m1",
    "task_name": "gender",
    "question": "Who?",
    "choice_a": None,
    "choice_b": "male",
    "choice_c": None,
    "choice_d": "female",
    "answer_gt": "female",
    "category": "Perception",
    "sub-category": "Paralinguistics",
}


def test_mmsu_is_read_as_the_hub_has_it_with_its_recordings_and_its_rule(home: Path) -> None:
    recording = {"audio": {"bytes": b"RIFF\0\0\0\0WAVE", "path": "m1.wav"}}
    write_parquet(home / "mmsu" / "data" / "train-0.parquet", [HUB_ROW | recording])
    found = find("mmsu")
    assert (found.items[0].choices, found.items[0].answer, found.official_rule) == (
        ("male", "female"),
        "female",
        "mmsu",
    )
    assert Path(found.items[0].audio[0]).read_bytes() == b"RIFF\0\0\0\0WAVE"
    alone = find(str(home / "mmsu" / "data" / "train-0.parquet"))
    assert (alone.declared, alone.official_rule, alone.items) == ("mmsu", "mmsu", found.items)


def test_a_benchmark_whose_file_lacks_the_recording_says_so(home: Path) -> None:
    write(home / "mmsu" / "mmsu.jsonl", json.dumps(HUB_ROW | {"sound": "1.wav"}))
    with pytest.raises(BadConfig, match="has no field 'audio_path', which is the audio of this benchmark; it has id"):
        find("mmsu")


def test_mmlus_answers_are_letters_where_the_hub_labels_them(home: Path) -> None:
    row = {"question": "?", "subject": "law", "choices": ["w", "x", "y", "z"], "answer": 2}
    write_parquet(home / "mmlu" / "all" / "test-0.parquet", [row], {"answer": ["A", "B", "C", "D"]})
    assert find("mmlu").items[0].answer == "y"
    write_parquet(home / "mmlu" / "all" / "test-0.parquet", [row])
    assert find("mmlu").items[0].answer == "y"


AIR = {"question": "?", "choice_a": "yes", "choice_b": "no", "answer_gt": "no", "dataset_name": "x"}


def test_air_benchs_folder_may_be_put_there_as_a_whole_and_its_clips_be_flac(home: Path) -> None:
    rows = [
        AIR | {"uniq_id": 1, "task_name": "Audio_Grounding", "path": "1.wav"},
        AIR | {"uniq_id": 2, "task_name": "Sound_AQA", "path": "1.wav"},
    ]
    folder = home / "air-bench" / "Foundation"
    write(folder / "Foundation_meta.json", json.dumps(rows))
    for name in ("Audio_Grounding_x/1.flac", "Sound_AQA_x/1.wav"):
        write(folder / name, "")
    found = find("air-bench")
    assert found.find_lacking_audio() == ()
    assert [found.find_clips(item)[0].name for item in found.items] == ["1.flac", "1.wav"]


@pytest.mark.parametrize(("there", "is_found"), [(("1.flac",), True), (("1.flac", "1.mp3"), False)])
def test_a_converted_clip_is_found_where_there_is_one(home: Path, there: tuple[str, ...], is_found: bool) -> None:
    row = {"id": 1, "audio": "1.wav", "question": "?", "choices": ["a", "b"], "answer": "a"}
    file = write(home / "mine.json", json.dumps([row]))
    for name in there:
        write(home / name, "")
    assert (find(str(file)).find_lacking_audio() == ()) is is_found
    # Two recordings that differ in their endings alone never become one.
    file.write_text(json.dumps([row, row | {"id": 2, "audio": "1.ogg"}]))
    assert len(find(str(file)).find_lacking_audio()) == 2


def test_muchomusic_is_read_from_its_table_with_options_in_drawn_orders(home: Path) -> None:
    columns = "question_id,question,correct_answer,distractor_1_answer,distractor_2_answer,distractor_3_answer"
    rows = [f'q{number},"Which, then?",Jazz,Rock,"Pop, soft",Folk,sdd,{number},Jazz' for number in range(40)]
    write(home / "muchomusic" / "muchomusic.csv", "\n".join([f"{columns},dataset,dataset_identifier,genre", *rows]))
    write(home / "muchomusic" / "sdd" / "7.mp3", "")
    found = find("muchomusic")
    assert {item.answer for item in found.items} == {"Jazz"}
    assert {frozenset(item.choices) for item in found.items} == {frozenset(("Jazz", "Rock", "Pop, soft", "Folk"))}
    places = [item.choices.index("Jazz") for item in found.items]
    assert set(places) == {0, 1, 2, 3} and max(map(places.count, range(4))) < 20
    assert found.find_clips(found.items[7])[0].name == "7.mp3"
    assert find("muchomusic").items == found.items


def test_options_of_which_the_first_is_right_are_never_shown_so(home: Path) -> None:
    rows = [{"id": number, "question": "?", "answers": ["a", "b", "c"]} for number in range(30)]
    file = write(home / "mine.json", json.dumps(rows))
    items = find(str(file), None, named.FieldNames(answer_form="first")).items
    assert {item.answer for item in items} == {"a"}
    assert len({item.choices.index("a") for item in items}) == 3


SPEECHR = {"audio_path": "a.wav", "prompt": "Think step by step.", "options": ["12", "15", "13"]}


def test_speechrs_generative_part_is_open_with_what_is_asked_for_the_judge(home: Path) -> None:
    rows = [
        SPEECHR | {"id": "gsm8k-1", "question": "How old?", "label": 3},
        SPEECHR | {"id": "dilemma-0", "question": "A or B?", "label": ["honesty", "trust"]},
        SPEECHR | {"id": "moral-easy-0", "dialogue": "Why? It rains.", "label": 1, "options": ["Yes", "No"]},
    ]
    file = write(home / "speechr-generative" / "speechr_generative.jsonl", "\n".join(map(json.dumps, rows)))
    for found in (find("speechr-generative"), find(str(file))):
        assert found.declared == "speechr-generative"
        assert [(item.answer, item.described, item.choices) for item in found.items] == [
            ("13", "How old?", ()),
            ("honesty, trust", "A or B?", ()),
            ("Yes", "Why? It rains.", ()),
        ]
        assert {item.judged_by for item in found.items} == {"one of several"}


def test_what_a_judge_is_told_may_not_be_missing(home: Path) -> None:
    row = SPEECHR | {"id": "gsm8k-1", "question": "How old?", "label": 3}
    file = write(home / "speechr_generative.jsonl", json.dumps(row) + "\n" + json.dumps(row | {"question": " "}))
    with pytest.raises(BadConfig, match="row 2, field 'question' or 'dialogue': is empty; the judge needs it"):
        find(str(file))


def test_sakuras_csv_is_read_as_its_json(home: Path) -> None:
    folder = home / "sakura" / "data" / "Animal"
    row = {
        "attribute_label": "dog",
        "single_instruction": "Which? (a) cat (b) dog",
        "single_answer": "(b) dog",
        "multi_instruction": "What does it chase? (a) cats (b) stars",
        "multi_answer": "(a) cats",
    }
    file = write(folder / "metadata.json", json.dumps({"data/Animal/audio/1.wav": row}))
    write(folder / "audio" / "1.wav", "")
    named = find("sakura")
    assert [item.id for item in named.items] == [f"data/Animal/audio/1.wav-{hop}" for hop in ("single", "multi")]
    assert [item.premise for item in named.items] == ["", named.items[0].id]
    file.unlink()
    header = ",".join(["file", *row])
    read = write(folder / "metadata.csv", f"{header}\n{','.join(['1.wav', *row.values()])}\n")
    assert find("sakura").items == named.items == find(str(read)).items
    assert find(str(read)).has_clips()
