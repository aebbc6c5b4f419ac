"""Every reader of rows takes the encodings, line ends, nulls and ids that are met in the wild."""

import json
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from eval.analysis.score_table import read_table
from eval.benchmarks import find
from eval.store.stored import open_stored
from lalm.distill.metadata import read_metadata
from lalm.messages import read_conversations
from services.errors import BadConfig

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16")
ODD = "one\u2028two\u0085three é"
MMAU = {"id": 1, "audio_id": "a.wav", "question": ODD, "choices": ["Man", "Woman"], "answer": "Man", "task": "speech"}
MMAR = {"id": 1, "audio_path": "a.wav", "question": ODD, "choices": ["Man", "Woman"], "answer": "Man", "modality": "x"}
TEXT = {"id": 1, "question": ODD, "choices": ["Man", "Woman"], "answer": "Man"}
STORED = MMAU | {"model_prediction": "Man"}
TALK = {"messages": [{"role": "user", "content": ODD, "audios": None}], "response": "Yes.", "id": 1}
CLIP = {"id": 1, "audio": "a.wav", "duration": 1, "task": "speech", "caption": ODD, "license": "CC0", "labels": None}


def benchmark_questions(file: Path) -> list[tuple[str, str]]:
    return [(item.id, item.question) for item in find(str(file)).items]


def stored_questions(file: Path) -> list[tuple[str, str]]:
    return [(row.verdict.id, row.question) for row in open_stored(file).rows]


def conversation_words(file: Path) -> list[tuple[str, str]]:
    return [(one.id, one.messages[0].content) for one in read_conversations(file)]


def metadata_words(file: Path) -> list[tuple[str, str]]:
    return [(one.id, one.caption) for one in read_metadata(file)]


READERS = [
    (benchmark_questions, MMAU),
    (benchmark_questions, MMAR),
    (benchmark_questions, TEXT),
    (stored_questions, STORED),
    (conversation_words, TALK),
    (metadata_words, CLIP),
]
Reader = Callable[[Path], list[tuple[str, str]]]


@pytest.mark.parametrize(("reader", "row"), READERS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_encoding_gives_the_same_rows(
    tmp_path: Path, reader: Reader, row: dict[str, object], encoding: str
) -> None:
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps(row | {"id": number, "extra": None}, ensure_ascii=False) for number in (1, 2.0, "3")]
    file.write_bytes("\r\n".join(lines).encode(encoding))
    assert reader(file) == [("1", ODD), ("2", ODD), ("3", ODD)]


@pytest.mark.parametrize(("reader", "row"), READERS)
def test_latin_1_is_refused_with_file_and_line(tmp_path: Path, reader: Reader, row: dict[str, object]) -> None:
    file = tmp_path / "rows.jsonl"
    lines = [json.dumps(row | {"note": note}, ensure_ascii=False) for note in ("fine", "é")]
    file.write_bytes("\n".join(lines).replace(ODD, "odd").encode("latin-1"))
    with pytest.raises(BadConfig, match=r"rows\.jsonl', line 2 is not UTF-8: byte 0xe9"):
        reader(file)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_tables_and_field_names_are_read_in_every_encoding(tmp_path: Path, encoding: str) -> None:
    table = tmp_path / "scores.csv"
    table.write_bytes("model,Größe\nllama,50\n".encode(encoding))
    assert list(read_table([table]).columns) == ["Größe"]
    asked = tmp_path / "test.csv"
    asked.write_bytes("id,Frage,choices,answer\n1,Höher?,ja;nein,ja\n".encode(encoding))
    (tmp_path / "test.fields.json").write_bytes('{"question": "Frage"}'.encode(encoding))
    assert find(str(asked)).items[0].question == "Höher?"


@pytest.mark.parametrize("empty", ["null", "NaN", "-Infinity"])
def test_a_prediction_that_pandas_left_empty_is_failed_and_not_unread(tmp_path: Path, empty: str) -> None:
    file = tmp_path / "rows.jsonl"
    line = json.dumps(MMAU)[:-1]
    file.write_text(
        f'{line}, "model_prediction": "Man"}}\n{line.replace("1", "2", 1)}, "model_prediction": {empty}}}\n'
    )
    assert [(row.failed, row.unread) for row in open_stored(file).verdicts] == [(False, False), (True, False)]


def test_a_clip_is_found_by_a_name_in_the_other_form(tmp_path: Path) -> None:
    (tmp_path / unicodedata.normalize("NFC", "ä b.wav")).touch()
    file = tmp_path / "rows.json"
    file.write_text(json.dumps([MMAU | {"audio_id": unicodedata.normalize("NFD", "ä b.wav")}]))
    assert find(str(file)).find_lacking_audio() == ()


def test_letters_in_another_order_are_read_only_where_both_say_the_same(tmp_path: Path) -> None:
    row = MMAU | {"choices": ["(B) A cat", "(A) A dog"], "answer": "(B) A cat"}
    file = tmp_path / "rows.jsonl"
    rows = [row | {"id": reply, "model_output": reply} for reply in ("B", "A cat", "It is a dog.", "(B) A cat")]
    file.write_text("\n".join(map(json.dumps, rows)))
    assert [verdict.unread for verdict in open_stored(file).verdicts] == [True, False, False, True]
