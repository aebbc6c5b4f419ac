import json
from pathlib import Path

import pytest

from eval.benchmarks import find
from eval.benchmarks.errata import FILE, Errata
from services.errors import BadConfig
from services.yaml_file import read_config


def write_bench(folder: Path, *rows: tuple[str, str]) -> Path:
    file = folder / "mine.json"
    choices = ["orange", "Octavia"]
    items = [{"id": name, "question": "Which word is first?", "choices": choices, "answer": a} for name, a in rows]
    file.write_text(json.dumps(items))
    return file


@pytest.mark.slow
def test_an_item_is_disputed_by_its_id_and_its_published_answer(tmp_path: Path) -> None:
    known = read_config(FILE, Errata).items[0]
    assert (known.answer, known.corrected) == ("orange", "Octavia")
    file = write_bench(tmp_path, (known.id, "orange"), ("other", "orange"))
    first, second = find(str(file)).items
    assert first.disputed == f"{known.source} ('Octavia' instead)"
    assert not second.disputed
    (corrected,) = find(str(write_bench(tmp_path, (known.id, "Octavia")))).items
    assert not corrected.disputed


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("{id: q11, answer: orange, source: s}", "mine has no item 'q11'; did you mean 'q1'"),
        ("{id: q1, answer: Orange, source: s}", "'Orange' is not an option of 'q1'; these are: 'orange', 'Octavia'"),
    ],
)
def test_what_disputes_nothing_is_refused(tmp_path: Path, row: str, message: str) -> None:
    file = write_bench(tmp_path, ("q1", "orange"), ("q2", "Octavia"))
    (tmp_path / "mine.errata.yaml").write_text(f"items:\n  - {row}\n")
    with pytest.raises(BadConfig, match=rf"mine\.errata\.yaml', item 1: {message}"):
        find(str(file))


@pytest.mark.slow
def test_a_file_of_ones_own_adds_to_it(tmp_path: Path) -> None:
    file = write_bench(tmp_path, ("q1", "orange"), ("q2", "Octavia"))
    own = tmp_path / "mine.errata.yaml"
    own.write_text("items:\n  - {id: q2, answer: Octavia, source: our own hearing}\n")
    assert [item.disputed for item in find(str(file)).items] == ["", "our own hearing"]
    own.write_text("items:\n  - {id: q2, answer: Octavia}\n")
    with pytest.raises(BadConfig, match=r"mine\.errata\.yaml.*'items\.0\.source' is missing"):
        find(str(file))


def test_every_erratum_is_there_once_and_has_a_source() -> None:
    items = read_config(FILE, Errata).items
    assert len({(one.id, one.answer) for one in items}) == len(items) >= 20
    assert all("MMAU" in one.source and one.corrected != one.answer for one in items)
