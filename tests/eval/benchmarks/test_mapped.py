"""Items from any file of questions: what can be asked, what cannot, and what is malformed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks import find
from eval.benchmarks.fields import parse_fields
from services.errors import BadConfig

ROW = {"id": 1, "file": "a.wav", "question": "What?", "options": ["dog", "cat"], "answer": "cat"}


def write(folder: Path, *rows: dict[str, Any], name: str = "q.json") -> str:
    file = folder / name
    file.write_text(json.dumps(rows))
    return str(file)


def test_empty_columns_are_dropped_and_letters_keep_their_meaning(tmp_path: Path) -> None:
    row = {"file": "a.wav", "question": "What?", "choice_a": "dog", "choice_b": "", "choice_c": "cat", "answer": "C"}
    (item,) = find(write(tmp_path, row)).items
    assert (item.choices, item.answer) == (("dog", "cat"), "cat")


def test_open_questions_and_too_many_recordings_are_unsupported_and_several_answers_a_set(
    tmp_path: Path,
) -> None:
    rows = [
        ROW,
        ROW | {"id": 2, "file": [f"{number}.wav" for number in range(9)]},
        ROW | {"id": 3, "options": None, "answer": "a long text"},
        ROW | {"id": 4, "answer": ["dog", "cat"]},
    ]
    benchmark = find(write(tmp_path, *rows))
    assert [item.unsupported.split(";")[0] for item in benchmark.items] == [
        "",
        "has 9 recordings",
        "has no options",
        "",
    ]
    assert [(item.rule, item.answers) for item in benchmark.items] == [
        ("exact set", ("cat",)),
        ("exact set", ("cat",)),
        (None, ()),
        ("exact set", ("dog", "cat")),
    ]
    assert benchmark.describe_fields() == (
        "q is read by its fields: id = id, audio = file, question = question, choices = options, answer = answer."
    )
    assert not benchmark.is_withheld


MMAU = {
    "id": "m",
    "audio_id": "a.wav",
    "question": "What?",
    "choices": ["dog", "cat"],
    "answer": "cat",
    "task": "sound",
}


@pytest.mark.parametrize(
    ("change", "clips"),
    [
        ({}, ("a.wav",)),
        ({"answer": "B"}, ("a.wav",)),
        ({"answer": ["cat"]}, ("a.wav",)),
        ({"id": None}, ("a.wav",)),
        ({"choices": {"A": "dog", "B": "cat"}}, ("a.wav",)),
        ({"audio_id": ["a.wav", "b.wav"]}, ("a.wav", "b.wav")),
    ],
)
def test_rows_with_the_fields_of_mmau_in_another_form_are_read_by_what_they_hold(
    tmp_path: Path, change: dict[str, object], clips: tuple[str, ...]
) -> None:
    found = find(write(tmp_path, MMAU | change))
    (item,) = found.items
    assert (item.choices, item.answer, item.audio, item.task) == (("dog", "cat"), "cat", clips, "sound")
    assert bool(found.describe_fields()) is bool(change)  # what was taken is said, where it had to be found


def test_a_row_of_mmau_whose_answer_is_none_of_its_choices_is_refused(tmp_path: Path) -> None:
    for rows in ([MMAU | {"answer": "hen"}], [MMAU, MMAU | {"id": "n", "answer": "hen"}], [MMAU | {"answer": {}}]):
        with pytest.raises(BadConfig, match=f"row {len(rows)}, field 'answer'"):
            find(write(tmp_path, *rows))
    (tmp_path / "deep.json").write_text('[{"audio_id": "", "choices": "", "task": ' + '{"a":' * 3000)
    with pytest.raises(BadConfig, match="Invalid JSON"):
        find(str(tmp_path / "deep.json"))


def test_a_cell_may_hold_a_list_of_recordings(tmp_path: Path) -> None:
    file = tmp_path / "q.csv"
    cells = ["[1].wav", '["a.wav", "b.wav"]', "['b.wav', 'b.wav']"]
    file.write_text(
        "id;audio;question;choices;answer\n"
        + "".join(f"q{n};{cell};Which?;dog|cat;cat\n" for n, cell in enumerate(cells))
    )
    assert [item.audio for item in find(str(file), fields=parse_fields(("audio=audio",))).items] == [
        ("[1].wav",),
        ("a.wav", "b.wav"),
        ("b.wav", "b.wav"),
    ]


@pytest.mark.parametrize(
    ("options", "answers", "right"),
    [
        (["dog", "cat", "cow"], ["A, C", "B"], [("dog", "cow"), ("cat",)]),
        (["dog", "cat", "cow"], ["AC", "B"], [("dog", "cow"), ("cat",)]),
        (["dog", "cat", "cow"], ["cow|dog", "cat"], [("dog", "cow"), ("cat",)]),
        (["hip hop", "rock", "pop"], ["hip hop, rock", "pop"], [("hip hop", "rock"), ("pop",)]),
        (["dog", "cat", "cow"], ['["A", "C"]', '["B"]'], [("dog", "cow"), ("cat",)]),
        (["dog", "cat", "cow"], [[0, 2], [1]], [("dog", "cow"), ("cat",)]),
        (["dog", "cat", "cow"], [[1, 3], [2, 3]], [("dog", "cow"), ("cat", "cow")]),
    ],
)
def test_several_right_options_are_a_set_however_a_cell_names_them(
    tmp_path: Path, options: list[str], answers: list[object], right: list[tuple[str, ...]]
) -> None:
    rows = (ROW | {"id": n, "options": options, "answer": answer} for n, answer in enumerate(answers))
    items = find(write(tmp_path, *rows)).items
    assert [item.rule for item in items] == ["exact set", "exact set"]
    assert [tuple(one for one in item.choices if one in item.answers) for item in items] == right


def test_decoded_samples_are_no_recording_and_not_passed_over(tmp_path: Path) -> None:
    row = {key: value for key, value in ROW.items() if key != "file"}
    with pytest.raises(BadConfig, match="its field 'audio' holds decoded samples; export the recordings as they are"):
        find(write(tmp_path, row | {"audio": {"array": [0.1, 0.2], "sampling_rate": 16_000}}))


@pytest.mark.parametrize("answer", ["(a) cat", "B. dog", "dog cat"])
def test_a_letter_and_a_text_that_differ_are_not_two_answers(tmp_path: Path, answer: str) -> None:
    row = ROW | {"options": ["dog", "cat"], "answer": answer}
    with pytest.raises(BadConfig, match=f"row 1, field 'answer': {re.escape(repr(answer))} is none of the choices"):
        find(write(tmp_path, row))


@pytest.mark.parametrize("answer", ["C", "cow"])
@pytest.mark.parametrize("options", [{"A": "dog", "C": "cow"}, {"A": "dog", "B": None, "C": "cow"}])
def test_options_of_an_object_keep_their_letters_where_some_are_null(
    tmp_path: Path, options: dict[str, str | None], answer: str
) -> None:
    (item,) = find(write(tmp_path, ROW | {"options": options, "answer": answer})).items
    assert (item.choices, item.answer) == (("dog", "cow"), "cow")


@pytest.mark.parametrize("options", [("option2", "option4", "option12"), ("choice_b", "choice_d", "choice_e")])
def test_columns_without_a_value_in_the_whole_table_drop_none_of_the_others(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    texts = dict(zip(options, ("dog", "cat", "cow"), strict=True))
    rest = {"option6": "a", "option8": "b", "option10": "c"} if "option2" in options else {}
    row = {key: value for key, value in ROW.items() if key != "options"} | texts | rest | {"answer": "cow"}
    (item,) = find(write(tmp_path, row)).items
    assert set(item.choices) == {*texts.values(), *rest.values()}


def test_an_option_that_holds_a_comma_is_one_option_and_words_that_are_none_are_refused(tmp_path: Path) -> None:
    row = ROW | {"options": ["salt, pepper", "salt", "pepper"], "answer": "salt, pepper"}
    (item,) = find(write(tmp_path, row)).items
    assert (item.rule, item.answer) == (None, "salt, pepper")
    with pytest.raises(BadConfig, match="row 1, field 'answer': 'salt, sugar' is none of the choices"):
        find(write(tmp_path, row | {"answer": "salt, sugar"}))


def test_a_file_that_holds_nothing_to_ask_says_why(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="cannot be asked: its first question has no right option"):
        find(write(tmp_path, ROW | {"answer": []})).require_askable()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"answer": "cow"}, "row 2, field 'answer': 'cow' is none of the choices ['dog', 'cat']"),
        ({"question": " "}, "row 2, field 'question': is empty"),
        ({"question": 5}, "row 2, field 'question': 5 is not a text"),
        ({"file": None}, "row 2, field 'audio': names no recording, though other rows do"),
        (
            {"question": "What? (a) cat (b) dog", "answer": "B"},
            "row 2, field 'options': stand in another order in the question, and the answer 'B' may mean either",
        ),
        ({"options": ["dog"]}, "row 2, field 'options': ['dog'] does not hold two options or more"),
        (
            {"options": [str(n) for n in range(27)], "answer": "3"},
            "row 2, field 'options': 27 options; at most 26 work",
        ),
        ({"id": 1}, "row 2, field 'id': '1' is already the id of row 1; ids must be unique. Name another field"),
        ({"id": None}, "row 2, field 'id': is missing or empty, though other rows have one"),
        ({"answer": None}, "row 2, field 'answer': missing, though other rows have one"),
    ],
)
def test_a_malformed_row_is_named_by_file_row_and_field(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    file = write(tmp_path, ROW, ROW | {"id": 2} | change)
    with pytest.raises(BadConfig) as raised:
        find(file)
    assert f"Benchmark {file!r}, {said}" in str(raised.value)


def test_fields_by_name_and_templates(tmp_path: Path) -> None:
    row = {"set": "x", "nr": 7, "Frage": "Was?", "links": "Hund", "rechts": "Katze", "Lösung": 2}
    fields = ["id={set}-{nr}", "audio={set}/{nr}.wav", "question=Frage", "choices=links,rechts", "answer=Lösung"]
    (item,) = find(write(tmp_path, row), None, parse_fields([*fields, "answer_form=index1"])).items
    assert (item.id, item.audio, item.question, item.answer) == ("x-7", ("x/7.wav",), "Was?", "Katze")
    with pytest.raises(BadConfig, match="has no field 'Fragen', which is to be the question; it has set, nr"):
        find(write(tmp_path, row), None, parse_fields(["question=Fragen"]))
    with pytest.raises(BadConfig, match="has no field 'nummer', which is to be the id"):
        find(write(tmp_path, row), None, parse_fields(["id={set}-{nummer}"]))


@pytest.mark.slow
def test_clips_are_found_without_the_folders_of_their_authors_and_without_endings(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/one.wav", "two.flac"):
        (tmp_path / name).touch()
    file = write(tmp_path, ROW | {"file": "data/all/b/one.wav"}, ROW | {"id": 2, "file": "data/all/two.flac"})
    benchmark = find(file)
    assert [path for item in benchmark.items for path in benchmark.find_clips(item)] == [
        tmp_path / "b/one.wav",
        tmp_path / "two.flac",
    ]
    bare = find(write(tmp_path, ROW | {"audio": "two", "file": "-"}, name="bare.json"))
    assert bare.find_clips(bare.items[0]) == (tmp_path / "two.flac",)


def test_two_clips_never_become_one(tmp_path: Path) -> None:
    (tmp_path / "one.wav").touch()
    file = write(tmp_path, ROW | {"file": "a/one.wav"}, ROW | {"id": 2, "file": "b/one.wav"})
    assert len(find(file).find_lacking_audio()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("shown", [True, False])
def test_muchomusics_order_of_options(tmp_path: Path, shown: bool) -> None:
    listed = ["Pop", "Jazz", "Rock"] if shown else ["Jazz", "Rock", "Pop"]
    prompt = "Which genre? (A) Pop (B) Jazz (C) Rock" if shown else "Which genre?"
    row = {"id": 1, "prompt": prompt, "answers": listed, "answer_orders": [2, 0, 1], "audio_path": "a.mp3"}
    (item,) = find(write(tmp_path, row)).items
    assert (item.question, item.choices, item.answer) == ("Which genre?", ("Pop", "Jazz", "Rock"), "Jazz")
    with pytest.raises(BadConfig, match=r"\[0, 0, 1\] is not an order of 3 options"):
        find(write(tmp_path, row | {"answer_orders": [0, 0, 1]}))


def test_a_sample_has_each_task_at_its_share_and_its_seed_decides_it(tmp_path: Path) -> None:
    rows = [ROW | {"id": number, "task": "abb"[number % 3]} for number in range(60)]
    benchmark = find(write(tmp_path, *rows))
    drawn = benchmark.sample(10, seed=1)
    assert sorted(item.task for item in drawn.items) == ["a"] * 3 + ["b"] * 7
    assert drawn.items == benchmark.sample(10, seed=1).items
    assert drawn.items != benchmark.sample(10, seed=2).items
    assert [benchmark.items.index(item) for item in drawn.items] == sorted(map(benchmark.items.index, drawn.items))
    assert benchmark.sample(60, seed=1) is benchmark
    assert len(benchmark.sample(1, seed=0).items) == 1


@pytest.mark.parametrize("name", ["file://{}/clips/a.wav", "C:\\data\\clips\\a.wav", "clips\\a.wav"])
def test_clips_are_found_under_names_of_other_systems(tmp_path: Path, name: str) -> None:
    clip = tmp_path / "clips" / "a.wav"
    clip.parent.mkdir()
    clip.touch()
    benchmark = find(write(tmp_path, ROW | {"file": name.format(tmp_path)}))
    assert benchmark.find_clips(benchmark.items[0]) == (clip,)
