"""Fields of files by other people, found by their names and by what they hold."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.benchmarks.detection import detect_fields, fill
from eval.benchmarks.fields import FieldNames
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


def test_an_answer_under_no_usual_name_is_found_by_what_it_holds() -> None:
    rows = [{"question": "What?", "options": ["dog", "cat"], "richtig": text} for text in ("cat", "dog")]
    assert detect(*rows).answer == "richtig"


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
