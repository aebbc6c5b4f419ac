import json
import math
from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from eval.scoring.intervals import compute_wilson_interval
from eval.scoring.official import string_match
from eval.scoring.scoring import Verdict, summarise

SHARED = Path(__file__).parents[4] / "shared" / "bench"
OWN = json.loads((Path(__file__).parents[2] / "data" / "mmau-own.json").read_text(encoding="utf-8"))

VOICES = ["Man", "Woman", "Child", "Robot"]
# Verdicts of the official script, run on these rows.
OFFICIAL = [
    ("Man", VOICES, "Man", True),
    ("  MAN!! ", VOICES, "Man", True),
    ("_Man_", VOICES, "Man", False),
    ("A", VOICES, "Man", False),
    ("(B) Man", VOICES, "Man", True),
    ("Man, not Woman", VOICES, "Man", False),
    ("It is not a man.", VOICES, "Man", True),
    ("", VOICES, "Man", False),
    ("A. Rain on roof", ["Rain on roof", "A dog barking", "Wind", "Silence"], "Rain on roof", False),
    ("From near to far", ["From far to near", "From near to far"], "From far to near", True),
    ("thirteen", ["thirteen", "twenty", "thirteen"], "thirteen", True),
    ("", ["Entered", ""], "", False),
    ("2.5", ["2", "2.5", "3"], "2", False),
]


def verdict(
    task: str, *, right: bool = False, unread: bool = False, failed: bool = False, clock_s: float = 0.0
) -> Verdict:
    return Verdict("id", task, correct_strict=right, unread=unread, failed=failed, took_s=1.0, clock_s=clock_s)


@pytest.mark.parametrize(("prediction", "choices", "answer", "right"), OFFICIAL)
def test_string_match_gives_the_official_verdict(prediction: str, choices: list[str], answer: str, right: bool) -> None:
    assert string_match(prediction, choices, answer) is right


@pytest.mark.parametrize("key", ["model_prediction", "model_output"])
@pytest.mark.parametrize("row", OWN, ids=lambda row: row["id"])
def test_string_match_gives_the_verdict_of_the_official_script_on_rows_of_our_own(
    row: dict[str, Any], key: str
) -> None:
    assert string_match(row[key], row["choices"], row["answer"]) is row[f"official_{key}"]


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the collected edge cases: put them at {SHARED}")
def test_string_match_agrees_with_the_official_script_on_all_collected_edge_cases() -> None:
    rows = json.loads((SHARED / "scorer_edge_cases.json").read_text())
    wrong = [
        row["n"] for row in rows if string_match(row["prediction"], row["choices"], row["answer"]) != row["official"]
    ]
    assert len(rows) == 59
    assert wrong == []


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"the published predictions: put them at {SHARED}")
@pytest.mark.parametrize(("key", "right"), [("model_prediction", 660), ("model_output", 597)])
def test_string_match_reproduces_a_published_mmau_score(key: str, right: int) -> None:
    rows = json.loads((SHARED / "mmau" / "desta25-predictions.json").read_text())
    assert sum(string_match(row[key], row["choices"], row["answer"]) for row in rows) == right


@pytest.mark.parametrize(("num_correct", "n"), [(660, 1000), (0, 7), (7, 7), (1, 3), (86, 341)])
def test_wilson_interval_agrees_with_scipy(num_correct: int, n: int) -> None:
    expected = binomtest(num_correct, n).proportion_ci(method="wilson")
    assert compute_wilson_interval(num_correct, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_nothing_asked_says_nothing() -> None:
    assert compute_wilson_interval(0, 0) == (0.0, 1.0)
    assert summarise([]).n == 0


def test_unread_and_failed_items_stay_in_the_denominator() -> None:
    summary = summarise(
        [
            verdict("sound", right=True, clock_s=2.5),
            verdict("sound", unread=True),
            verdict("sound", failed=True),
            verdict("speech", clock_s=7.25),
        ]
    )
    sound = summary.by_task["sound"]
    assert (summary.n, summary.correct_strict, summary.unread, summary.failed) == (4, 1, 1, 1)
    assert (sound.n, sound.correct_strict, sound.unread, sound.failed) == (3, 1, 1, 1)
    assert sound.wilson_95 == compute_wilson_interval(1, 3)
    assert list(summary.by_task) == ["sound", "speech"]
    assert math.isclose(summary.wall_s, 7.25)


def test_an_interval_holds_its_own_share_at_both_ends() -> None:
    for n in range(1, 400):
        for num_correct in {0, n // 2, n}:
            low, high = compute_wilson_interval(num_correct, n)
            assert 0 <= low <= num_correct / n <= high <= 1
    assert (compute_wilson_interval(0, 7).low, compute_wilson_interval(10, 10).high) == (0.0, 1.0)


def test_second_hops_are_counted_where_the_first_is_right() -> None:
    hops = [
        Verdict(f"{clip}-{hop}", task, correct_strict=right, premise=f"{clip}-single" if hop == "multi" else "")
        for clip, task, *both in (
            ("1", "x", True, True),
            ("2", "x", True, False),
            ("3", "x", False, True),
            ("4", "y", 0, 0),
        )
        for hop, right in zip(("single", "multi"), map(bool, both), strict=True)
    ]
    found = summarise(hops).given_premise
    assert {name: (kept.n, kept.correct_strict) for name, kept in found.items()} == {"x": (2, 1), "all": (2, 1)}
    assert summarise(hops[:1]).given_premise == {}
