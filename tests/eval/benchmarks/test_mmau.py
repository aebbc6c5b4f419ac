import hashlib
import json
from pathlib import Path

import pytest

from eval.benchmarks import find, mmau
from services.environment import Settings
from services.errors import BadConfig, UnknownName

ROW = {
    "id": "one",
    "audio_id": "./audio/one.wav",
    "question": "Who speaks?",
    "choices": ["Man", "Woman"],
    "answer": "Woman",
    "task": "speech",
    "category": "Reasoning",
    "sub-category": "Counting",
    "difficulty": "easy",
    "split": "test-mini",
}


def write(folder: Path, *rows: object) -> Path:
    file = folder / "tiny.json"
    file.write_text(json.dumps(list(rows)))
    return file


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    file = write(tmp_path, ROW)
    benchmark = find(str(file))
    (item,) = benchmark.items
    assert (benchmark.name, benchmark.sha256) == ("tiny", hashlib.sha256(file.read_bytes()).hexdigest())
    assert (item.question, item.choices, item.answer) == ("Who speaks?", ("Man", "Woman"), "Woman")
    assert (item.task, item.category, item.sub_category, item.difficulty) == ("speech", "Reasoning", "Counting", "easy")
    assert benchmark.find_clips(item) == (tmp_path / "audio" / "one.wav",)


def test_a_list_as_category_is_read_as_its_text(tmp_path: Path) -> None:
    benchmark = mmau.read(write(tmp_path, ROW | {"category": ["Reasoning"]}))
    assert benchmark.items[0].category == "Reasoning"


def test_a_row_may_be_in_no_group_and_the_file_may_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    file = write(tmp_path, ROW | {"difficulty": None, "category": None})
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    (item,) = mmau.read(file).items
    assert (item.difficulty, item.category) == ("", "")


def test_items_stay_as_published(tmp_path: Path) -> None:
    choices = ["ten", "ten", "", " Ten."]
    (item,) = mmau.read(write(tmp_path, ROW | {"choices": choices, "answer": "ten"})).items
    question = item.to_question()
    assert [choice.text for choice in question.choices] == choices
    assert [choice.letter for choice in question.choices] == ["A", "B", "C", "D"]


def test_the_question_does_not_hold_the_answer(tmp_path: Path) -> None:
    row = ROW | {"answer": "Woman", "question": "?"}
    question = mmau.read(write(tmp_path, row)).items[0].to_question()
    assert question.model_dump().keys() == {"id", "text", "choices", "num_clips", "earlier", "wants_reasons"}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (
            [ROW, {key: value for key, value in ROW.items() if key != "question"}],
            "row 2, field 'question': Field required",
        ),
        ([ROW | {"question": ""}], "row 1, field 'question': is empty; it needs words"),
        ([ROW | {"choices": "Man"}], "row 1, field 'choices': Input should be a valid array"),
        ([ROW | {"choices": []}], "row 1, field 'choices': List should have at least 1 item"),
        ([ROW | {"choices": ["Man", 3]}], "row 1, field 'choices': Input should be a valid string"),
        ([ROW | {"answer": "Child"}], "row 1, field 'answer': 'Child' is none of the choices ['Man', 'Woman']"),
        ([ROW, ROW], "row 2, field 'id': 'one' is already the id of row 1"),
        (["text"], "row 1"),
        ([], "holds no items"),
    ],
)
def test_a_malformed_row_is_named_by_file_row_and_field(tmp_path: Path, rows: list[object], said: str) -> None:
    file = write(tmp_path, *rows)
    with pytest.raises(BadConfig) as raised:
        mmau.read(file)
    assert str(file) in str(raised.value)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b'{"id": 1}'])
def test_a_file_that_is_not_a_list_of_rows_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "broken.json"
    file.write_bytes(content)
    with pytest.raises(BadConfig, match="not a JSON list of rows"):
        mmau.read(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"gone\.json' cannot be read: No such file"):
        find(str(tmp_path / "gone.json"))


def test_an_unknown_benchmark_names_the_known_ones() -> None:
    with pytest.raises(UnknownName, match=r"No benchmark named 'mmmu'\. Known: mmau"):
        find("mmmu")


def test_missing_audio_is_counted_before_a_run(tmp_path: Path) -> None:
    benchmark = mmau.read(write(tmp_path, ROW, ROW | {"id": "two"}), tmp_path / "elsewhere")
    with pytest.raises(BadConfig, match=r"2 of 2 items lack their audio.*elsewhere/audio/one\.wav.*--audio-root"):
        benchmark.require_audio()
    assert len(benchmark.take_first(1).items) == 1
    assert benchmark.take_first(None) is benchmark


def test_the_release_before_is_told_apart_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mmau, "read_settings", lambda: Settings(home=tmp_path))
    for name in ("mmau", "mmau-before-v05.15.25"):
        file = tmp_path / "benchmarks" / "mmau" / mmau.FILES[name]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps([ROW | {"answer": "Man" if name == "mmau" else "Woman"}]))
    old = hashlib.sha256(file.read_bytes()).hexdigest()
    with pytest.raises(BadConfig, match=r"v05\.15\.25, or none that is known, not mmau-before-v05\.15\.25"):
        find("mmau-before-v05.15.25")
    monkeypatch.setattr(mmau, "BEFORE", frozenset({old}))
    assert (find("mmau").items[0].answer, find("mmau-before-v05.15.25").items[0].answer) == ("Man", "Woman")
    (tmp_path / "benchmarks" / "mmau" / mmau.FILES["mmau"]).write_bytes(file.read_bytes())
    with pytest.raises(BadConfig, match=r"is MMAU test-mini of the release before v05\.15\.25, not mmau"):
        find("mmau")


@pytest.mark.parametrize("name", ["questions.xlsx", "questions.txt", "questions"])
def test_a_file_of_another_end_is_said_to_be_one(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("[]")
    with pytest.raises(BadConfig, match=r"a file of questions is told by its end, \.json, \.jsonl, .* save it so\."):
        find(str(tmp_path / name))
