"""Two-annotator review: nothing is asked twice, nothing is lost, and what both accept is kept."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from eval.akb_open.review import Judgement, merge, read_reviews, review, write_kept
from eval.benchmarks import akb, find
from eval.benchmarks.benchmark import Benchmark
from eval.benchmarks.fields import FieldNames
from eval.scoring.statistics import compute_cohen_kappa
from services.errors import BadConfig

OK, WRONG, AMBIGUOUS = Judgement.OK, Judgement.WRONG, Judgement.AMBIGUOUS


@pytest.fixture
def benchmark(tmp_path: Path) -> Benchmark:
    file = tmp_path / "four.json"
    file.write_text(json.dumps(json.loads(akb.OPEN_FILE.read_bytes())[:4]))
    return akb.read(file)


def typed(*lines: str) -> Callable[[str], str]:
    waiting = list(lines)

    def ask(text: str) -> str:
        if not waiting:
            raise EOFError
        return waiting.pop(0)

    return ask


def test_the_work_goes_on_where_it_stopped(benchmark: Benchmark, tmp_path: Path) -> None:
    out = tmp_path / "anna.jsonl"
    assert review(benchmark, "anna", out, typed("o", "w the answer is 12 dB", "q")) == 2
    assert review(benchmark, "anna", out, typed("a")) == 1
    assert review(benchmark, "anna", out, typed("o")) == 0
    found = read_reviews(out)
    assert [one.id for one in found] == [item.id for item in benchmark.items]
    assert [one.judgement for one in found] == [OK, WRONG, AMBIGUOUS, OK]
    assert found[1].note == "the answer is 12 dB"


def test_what_is_not_an_answer_is_asked_again(benchmark: Benchmark, tmp_path: Path) -> None:
    asked: list[str] = []

    def ask(text: str) -> str:
        asked.append(text)
        return ["yes", "o", "q"][len(asked) - 1]

    assert review(benchmark, "anna", tmp_path / "anna.jsonl", ask) == 3
    assert asked[1] == "'yes' is none of o, w, a and q: "
    assert f"* {benchmark.items[0].answer}" in asked[0]


def test_a_line_cut_off_by_a_crash_is_judged_again(benchmark: Benchmark, tmp_path: Path) -> None:
    out = tmp_path / "anna.jsonl"
    review(benchmark, "anna", out, typed("o", "o"))
    out.write_bytes(out.read_bytes()[:-20])
    assert review(benchmark, "anna", out, typed("w", "o", "o")) == 0
    assert [one.judgement for one in read_reviews(out)] == [OK, WRONG, OK, OK]


def test_a_file_belongs_to_one_annotator_and_one_version(benchmark: Benchmark, tmp_path: Path) -> None:
    out = tmp_path / "anna.jsonl"
    review(benchmark, "anna", out, typed("o"))
    with pytest.raises(BadConfig, match="is 'anna''s; give 'ben' a file of their own"):
        review(benchmark, "ben", out, typed("o"))
    with pytest.raises(BadConfig, match="another version of four"):
        review(benchmark.model_copy(update={"sha256": "0"}), "anna", out, typed("o"))


def test_what_both_accept_is_kept(benchmark: Benchmark, tmp_path: Path) -> None:
    first, second = tmp_path / "anna.jsonl", tmp_path / "ben.jsonl"
    review(benchmark, "anna", first, typed("o", "o", "w", "o"))
    review(benchmark, "ben", second, typed("o", "a", "w"))
    found = merge(benchmark, first, second)
    ids = [item.id for item in benchmark.items]
    assert (found.n, found.agreed, found.unseen) == (3, 2, 1)
    assert found.kept == (ids[0],)
    assert found.disputed == (ids[1],)
    write_kept(benchmark, found, tmp_path / "kept.json")
    assert json.loads((tmp_path / "kept.json").read_text()) == json.loads(akb.OPEN_FILE.read_bytes())[:1]


@pytest.mark.parametrize("has_id", [True, False])
def test_rows_are_kept_whatever_their_ids_are_made_of(tmp_path: Path, *, has_id: bool) -> None:
    row = {"question": "?", "A": "a", "B": "b", "answer": "A"}
    rows = [row | ({"nr": number, "set": "x"} if has_id else {}) for number in (7, 8)]
    file = tmp_path / "two.json"
    file.write_text(json.dumps(rows))
    benchmark = find(str(file), None, FieldNames(id="{set}-{nr}" if has_id else None))
    for name in ("anna", "ben"):
        review(benchmark, name, tmp_path / f"{name}.jsonl", typed("w", "o"))
    found = merge(benchmark, tmp_path / "anna.jsonl", tmp_path / "ben.jsonl")
    write_kept(benchmark, found, tmp_path / "kept.json")
    assert json.loads((tmp_path / "kept.json").read_text()) == rows[1:]


def test_one_person_cannot_agree_with_themselves(benchmark: Benchmark, tmp_path: Path) -> None:
    first = tmp_path / "anna.jsonl"
    review(benchmark, "anna", first, typed("o"))
    with pytest.raises(BadConfig, match="Both files are of 'anna'"):
        merge(benchmark, first, first)
    with pytest.raises(BadConfig, match="holds no reviews"):
        merge(benchmark, first, tmp_path / "nobody.jsonl")


@pytest.mark.parametrize(
    "pairs",
    [
        [(OK, OK), (OK, WRONG), (WRONG, WRONG), (AMBIGUOUS, OK)],
        [(OK, WRONG), (WRONG, OK)],
        [(OK, OK)] * 9 + [(WRONG, AMBIGUOUS)],
    ],
)
def test_kappa_is_that_of_scikit_learn(pairs: list[tuple[Judgement, Judgement]]) -> None:
    first, second = zip(*pairs, strict=True)
    assert compute_cohen_kappa(pairs) == pytest.approx(cohen_kappa_score(first, second))


def test_kappa_of_one_thing_only_is_undefined() -> None:
    assert compute_cohen_kappa([(OK, OK)] * 3) is None
    assert compute_cohen_kappa([]) is None
