"""Fields of files by other people, found by their names and by what they hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks.detection import detect_fields
from eval.benchmarks.fields import FieldNames, fill
from eval.benchmarks.tables import Table
from services.errors import BadConfig


def detect(*rows: dict[str, Any], given: FieldNames | None = None) -> FieldNames:
    return detect_fields("Benchmark 'q.json'", Table(rows, ""), given or FieldNames())


def test_letters_in_columns_and_places_from_nought() -> None:
    row = {"clip": "a.wav", "Question": "What?", "A": "dog", "B": "cat", "label": 0}
    assert detect(row, row | {"label": 1}) == FieldNames(
        audio="clip", question="Question", choices=("A", "B"), answer="label", answer_form="index0"
    )


def test_a_recording_is_found_under_any_name() -> None:
    row = {"takes": ["x/one.FLAC"], "path": "not a clip", "q": "What?", "options": ["dog", "cat"], "gold": "B"}
    found = detect(row)
    assert (found.audio, found.question, found.answer, found.answer_form) == ("takes", "q", "gold", "text")


def test_an_answer_under_no_usual_name_is_asked_for_because_it_may_be_a_prediction() -> None:
    rows = [{"question": "What?", "options": ["dog", "cat"], "prediction": text} for text in ("cat", "dog")]
    with pytest.raises(BadConfig, match="'prediction' may be the answer; say which with --fields answer=prediction"):
        detect(*rows)


NOTES = {"question": "Which note?", "options": ["C", "A", "B", "D"]}


def test_letters_that_are_options_and_places_are_asked_for() -> None:
    with pytest.raises(BadConfig, match="'text' or 'letter', and they differ"):
        detect(NOTES | {"answer": "A"}, NOTES | {"answer": "D"})
    assert detect(NOTES | {"answer": "A"}, given=FieldNames(answer_form="letter")).answer_form == "letter"


def test_letters_that_are_options_have_the_form_that_reads_every_row() -> None:
    words = {"question": "What?", "options": ["dog", "cat"]}
    assert detect(NOTES | {"answer": "A"}, words | {"answer": "dog"}).answer_form == "text"
    assert detect(NOTES | {"answer": "A"}, words | {"answer": "B"}).answer_form == "letter"


def test_two_fields_that_answer_differently_are_asked_for() -> None:
    row = {"question": "What?", "options": ["dog", "cat", "cow"]}
    with pytest.raises(BadConfig, match="'answer' or 'gt' may be the answer"):
        detect(row | {"answer": "dog", "gt": "cat"}, row | {"answer": "cat", "gt": "cow"})
    assert detect(row | {"answer": "cat", "label": 1}).answer == "answer"


def test_answers_alone_may_be_options_or_accepted_answers() -> None:
    row = {"question": "What?", "answers": ["a dog", "dog"]}
    with pytest.raises(BadConfig, match="first is right"):
        detect(row)
    assert detect(row, given=FieldNames(answer_form="first")).choices == "answers"
    assert detect(row, given=FieldNames(answer="answers")).choices is None
    assert detect(row | {"correct": "dog"}).answer == "correct"
    assert detect({"question": "What?", "choices": ["dog", "cat"], "answers": ["cat"]}).answer == "answers"


@pytest.mark.parametrize("value", ["?", "N/A", -1])
def test_one_value_that_is_not_an_option_in_every_row_withholds_the_answers(value: object) -> None:
    row = {"question": "What?", "options": ["dog", "cat"], "answer": value}
    assert detect(*[row] * 4).answer is None
    assert detect(*[row] * 3, row | {"answer": "dog"}).answer == "answer"  # the rows will be named


@pytest.mark.parametrize(("labels", "form"), [("123", "index1"), ("012", "index0")])
def test_numbers_are_those_of_the_options_where_options_are_numbered(labels: str, form: str) -> None:
    row = {"question": "What?", "options": dict(zip(labels, ("dog", "cat", "cow"), strict=True))}
    assert detect(row | {"answer": 1}).answer_form == form


def test_few_different_answers_are_the_options_of_a_file_without_any() -> None:
    rows = [{"sentence": f"{n} is [MASK]", "answer": ("higher", "lower")[n % 2]} for n in range(8)]
    found = detect(*rows)
    assert (found.choices, found.options) == (None, ("higher", "lower"))


def test_numbers_that_are_options_are_meant_as_text() -> None:
    assert detect({"question": "How many?", "options": [2, 1, 3], "answer": 1}).answer_form == "text"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "What?", "options": ["a", "b", "c"], "label": 1}, "'index0' or 'index1', and they differ"),
        ({"single_instruction": "What?", "multi_instruction": "Why?", "options": ["a", "b"]}, "may be the question"),
        ({"Frage": "Was?", "options": ["a", "b"]}, "none of its fields is known to hold the question"),
        ({"question": "What?", "words": "many words"}, "none of its fields is known to hold the options"),
        ({"question": "What?", "options": ["a b", "c d"], "richtig": "B"}, "'richtig' may be the answer"),
        ({"left": "a.wav", "right": "b.wav", "question": "?", "options": ["a", "b"]}, "--fields audio=left"),
    ],
)
def test_two_readings_or_none_are_asked_for(row: dict[str, Any], said: str) -> None:
    with pytest.raises(BadConfig) as raised:
        detect(row)
    assert said in str(raised.value)
    assert "--fields" in str(raised.value)


def test_what_is_given_is_not_looked_for() -> None:
    row = {"Frage": "Was?", "question": "What?", "options": ["a", "b"], "label": 1}
    given = FieldNames(question="Frage", answer_form="index1")
    found = detect(row, given=given)
    assert (found.question, found.answer_form) == ("Frage", "index1")


def test_a_template_is_filled_from_a_row() -> None:
    assert fill("{set}_{name}/{file}", {"set": "x", "name": 3, "file": "a.wav"}) == "x_3/a.wav"
    assert fill("file", {"file": "a.wav"}) == "a.wav"
    assert fill("file", {}) == ""


def test_mmaus_and_mmars_files_of_our_own_are_found_as_their_schemas_read_them(tmp_path: Path) -> None:
    from eval.benchmarks import mmau
    from eval.benchmarks.mapped import read_mapped

    row = {"id": "1", "audio_id": "a.wav", "question": "What?", "choices": ["x", "y"], "answer": "y", "task": "sound"}
    file = tmp_path / "tiny.json"
    file.write_text(json.dumps([row | {"category": "c", "sub-category": "s", "difficulty": "easy"}]))
    (known,), (found,) = mmau.read(file).items, read_mapped(file).items
    assert found == known.model_copy(update={"cluster": ""})


def test_answers_that_name_the_column_of_their_option() -> None:
    row = {"question": "What?", "option_1": "dog", "option_2": "cat", "correct": "option_2"}
    found = detect(row, row | {"correct": "option_1"})
    assert (found.answer, found.answer_form) == ("correct", "text")


def test_answers_that_are_flags_of_their_options() -> None:
    rows = [{"question": "What?", "choices": ["dog", "cat"], "answer": flags} for flags in ([0, 1], [1, 0])]
    assert detect(*rows).answer_form == "text"


def test_options_that_are_not_found_may_be_answers_to_open_questions() -> None:
    with pytest.raises(BadConfig, match="choices=NAME, or the answers of open ones with answer=NAME"):
        detect({"instruction": "Name the genre.\nExample 1: blues\nExample 2: jazz", "output": "jazz"})
