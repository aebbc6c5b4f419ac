import json
from pathlib import Path

import pytest

from eval.benchmarks import find
from services.errors import BadConfig

OWN = Path(__file__).parents[2] / "data" / "mmar-own.jsonl"
SHARED = Path(__file__).parents[4] / "shared" / "bench"
ROW = {
    "id": "one",
    "audio_path": "./audio/other-name.wav",
    "question": "Did they enter?",
    "choices": ["Entered", "Did not enter", ""],
    "answer": "Entered",
    "modality": "mix-sound-speech",
    "category": "Semantic Layer",
    "sub-category": "Content Analysis",
    "url": "https://example.org/v",
    "rubric": [{"name": "Hearing", "scoring_point": "Names the door.", "note": "", "choices": [0, 1]}],
}


def write(folder: Path, *rows: dict[str, object], name: str = "MMAR.jsonl") -> Path:
    file = folder / name
    file.write_text("\n".join(json.dumps(row) for row in rows) if name.endswith("l") else json.dumps(rows))
    return file


@pytest.mark.parametrize("name", ["MMAR.jsonl", "MMAR.json"])
def test_the_clip_is_found_by_its_path_never_by_the_id(tmp_path: Path, name: str) -> None:
    benchmark = find(str(write(tmp_path, ROW, name=name)))
    (item,) = benchmark.items
    assert benchmark.find_clips(item) == (tmp_path / "audio" / "other-name.wav",)
    assert (item.id, item.task, item.modality) == ("one", "mix-sound-speech", "mix-sound-speech")
    assert (item.category, item.sub_category) == ("Semantic Layer", "Content Analysis")
    assert item.cluster == "https://example.org/v"


def test_an_empty_option_is_kept_and_items_without_a_url_stand_alone(tmp_path: Path) -> None:
    (item, other) = find(str(write(tmp_path, ROW, ROW | {"id": "two", "url": None}))).items
    assert item.choices == ("Entered", "Did not enter", "")
    assert (item.source, other.source) == ("https://example.org/v", "./audio/other-name.wav")


def test_a_broken_line_is_named_by_its_number_blank_lines_counted(tmp_path: Path) -> None:
    file = write(tmp_path, ROW)
    file.write_text(file.read_text() + "\n\n" + json.dumps(ROW | {"id": "two", "question": " "}) + "\n")
    with pytest.raises(BadConfig, match="row 3, field 'question': is empty; it needs words"):
        find(str(file))


@pytest.mark.parametrize("answer", [None, ""])
def test_withheld_answers_are_not_an_error(tmp_path: Path, answer: str | None) -> None:
    file = write(tmp_path, ROW | {"choices": ["a", "b"], "answer": answer})
    benchmark = find(str(file))
    assert benchmark.is_withheld
    assert benchmark.items[0].answer is None


def test_an_empty_answer_that_is_an_option_is_an_answer(tmp_path: Path) -> None:
    benchmark = find(str(write(tmp_path, ROW | {"answer": ""})))
    assert (benchmark.is_withheld, benchmark.items[0].answer) == (False, "")


def test_one_missing_answer_among_others_is_a_malformed_row(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="row 2, field 'answer': missing, though other rows have one"):
        find(str(write(tmp_path, ROW, ROW | {"id": "two", "answer": None})))


def test_a_file_that_is_not_there_says_where_it_goes() -> None:
    with pytest.raises(BadConfig, match=r"MMAR is not in .*mmar\. Put MMAR-meta\.jsonl"):
        find("mmar")


def test_a_file_in_the_official_schema_loads_as_counted() -> None:
    benchmark = find(str(OWN))
    assert [len(item.choices) for item in benchmark.items] == [3, 2, 6, 3, 5, 4]
    assert sum("" in item.choices for item in benchmark.items) == 1
    assert [item.id for item in benchmark.items if item.id not in item.audio[0]] == ["b"]
    assert [benchmark.items[number].source for number in (0, 1)] == ["https://example.org/a"] * 2
    assert len({item.source for item in benchmark.items}) == 5
    assert sum(item.modality == "speech" for item in benchmark.items) == 1
    assert not benchmark.is_withheld


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the official metadata: put them at {SHARED}")
def test_the_official_file_loads_as_counted() -> None:
    benchmark = find(str(SHARED / "mmar" / "MMAR-meta.jsonl"))
    sizes = {len(item.choices) for item in benchmark.items}
    assert (len(benchmark.items), sizes) == (1000, {2, 3, 4, 5, 6})
    assert sum("" in item.choices for item in benchmark.items) == 4
    assert sum(item.id not in item.audio[0] for item in benchmark.items) == 42
    assert len({item.source for item in benchmark.items}) == 1000 - 138 + 55
    assert sum(item.modality == "speech" for item in benchmark.items) == 294
