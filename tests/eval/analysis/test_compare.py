import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest, sem

from eval.analysis.compare import Comparison, compare
from eval.cli import main
from eval.scoring.statistics import Z_95, Z_POWER_80, compute_clustered_p, compute_paired_difference
from eval.store.stored import StoredResult, open_stored
from services.errors import BadConfig

OWN = Path(__file__).parents[2] / "data" / "mmau-own.json"
DESTA = Path(__file__).parents[4] / "shared" / "bench" / "mmau" / "desta25-predictions.json"
ROW = {"question": "Who?", "choices": ["Man", "Woman"], "answer": "Man", "task": "speech", "category": "Reasoning"}


def stored(folder: Path, name: str, *rows: dict[str, object]) -> StoredResult:
    file = folder / f"{name}.json"
    file.write_text(json.dumps([ROW | row for row in rows]))
    return open_stored(file)


def replies(**by_id: str | None) -> list[dict[str, object]]:
    return [{"id": name, "model_output": reply} for name, reply in by_id.items()]


def test_a_comparison_by_the_official_verdicts_is_what_other_code_computes() -> None:
    found = compare(open_stored(OWN), open_stored(OWN, "model_output"), "official")
    rows = json.loads(OWN.read_text(encoding="utf-8"))
    right = np.array([[row[f"official_{key}"] for key in ("model_prediction", "model_output")] for row in rows])
    a, b = right.T
    table = (found.both_right, found.only_a, found.only_b, found.both_wrong)
    assert table == ((a & b).sum(), (a & ~b).sum(), (~a & b).sum(), (~a & ~b).sum()) == (13, 6, 1, 4)
    assert found.mcnemar_p == pytest.approx(binomtest(6, 7).pvalue)
    assert found.difference == pytest.approx(a.mean() - b.mean())
    assert found.se == pytest.approx(sem(a.astype(float) - b))
    assert found.cohens_h == pytest.approx(2 * (np.arcsin(a.mean() ** 0.5) - np.arcsin(b.mean() ** 0.5)))
    wilson = binomtest(19, 24).proportion_ci(method="wilson")
    assert found.a.wilson_95 == pytest.approx((wilson.low, wilson.high))
    assert (found.oracle, found.switch_by_task) == pytest.approx((20 / 24, 19 / 24))


@pytest.mark.slow
@pytest.mark.skipif(not DESTA.is_file(), reason=f"the published predictions: put them at {DESTA}")
def test_the_reference_comparison_comes_out_to_the_digit() -> None:
    found = compare(open_stored(DESTA), open_stored(DESTA, "model_output"), "official")
    assert (found.both_right, found.only_a, found.only_b, found.both_wrong) == (597, 63, 0, 340)
    assert found.mcnemar_p == pytest.approx(2.1684e-19, rel=1e-4)
    assert (found.se, found.cohens_h) == (pytest.approx(0.007687, abs=5e-7), pytest.approx(0.13049, abs=5e-6))
    assert found.ci_95 == pytest.approx((0.04793, 0.07807), abs=5e-6)
    assert found.a.wilson_95 == pytest.approx((0.63008, 0.68870), abs=5e-6)
    assert found.oracle == found.switch_by_task == 0.66
    assert (found.a.name, found.b.name) == ("model_prediction", "model_output")
    # The two are the same answers, so the strict score sees no difference at all.
    strict = compare(open_stored(DESTA), open_stored(DESTA, "model_output"))
    assert (strict.only_a, strict.only_b, strict.mcnemar_p, strict.difference) == (0, 0, 1.0, 0.0)


def test_the_table_counts_pairs_and_unread_and_failed_are_wrong(tmp_path: Path) -> None:
    a = stored(tmp_path, "a", *replies(i1="Man", i2="Man", i3="Woman", i4="no idea", i5=None))
    b = stored(tmp_path, "b", *replies(i1="Man", i2="Woman", i3="Man", i4="Man", i5="Woman"))
    found = compare(a, b)
    assert (found.both_right, found.only_a, found.only_b, found.both_wrong) == (1, 1, 2, 1)
    assert (found.a.unread, found.a.failed, found.b.unread) == (1, 1, 0)
    assert found.difference == pytest.approx(-0.2)
    assert found.oracle == 0.8


def test_items_of_one_side_are_counted_not_dropped_in_silence(tmp_path: Path) -> None:
    a = stored(tmp_path, "a", *replies(i1="Man", i2="Man", i3="Man"))
    b = stored(tmp_path, "b", *replies(i2="Man", i3="Woman", i4="Man", i5="Man"))
    found = compare(a, b)
    assert (found.n, found.a.unpaired, found.b.unpaired) == (2, 1, 2)
    assert (found.a.correct, found.b.correct) == (2, 1)


@pytest.mark.parametrize(
    ("field", "value"), [("question", "Which?"), ("choices", ["Man", "Woman", "Child"]), ("answer", "Woman")]
)
def test_another_version_of_an_item_stops_the_comparison(tmp_path: Path, field: str, value: object) -> None:
    a = stored(tmp_path, "a", *replies(i1="Man", i2="Man"))
    b = stored(tmp_path, "b", *[row | {field: value} for row in replies(i1="Man", i2="Man")])
    with pytest.raises(BadConfig, match=f"Item 'i1' differs in field '{field}'"):
        compare(a, b)


def test_files_without_a_common_item_cannot_be_compared(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="share 0 items"):
        compare(stored(tmp_path, "a", *replies(i1="Man")), stored(tmp_path, "b", *replies(i2="Man")))


def test_groups_are_corrected_for_their_number_and_one_item_has_no_interval(tmp_path: Path) -> None:
    tasks = {f"i{number}": "sound" if number < 8 else "music" for number in range(9)}
    rows_a = [row | {"task": tasks[str(row["id"])]} for row in replies(**dict.fromkeys(tasks, "Man"))]
    rows_b = [row | {"task": tasks[str(row["id"])]} for row in replies(**dict.fromkeys(tasks, "Woman"))]
    found = compare(stored(tmp_path, "a", *rows_a), stored(tmp_path, "b", *rows_b))
    music, sound = found.by_task
    assert (music.name, music.n, music.ci_95, music.p) == ("music", 1, None, 1.0)
    assert (sound.p, sound.p_holm) == (pytest.approx(2 / 2**8), pytest.approx(2 * 2 / 2**8))
    assert [group.name for group in found.by_category] == ["Reasoning"]


def test_within_a_group_only_items_that_one_side_got_right_count(tmp_path: Path) -> None:
    wrong = {f"w{number}": "Woman" for number in range(6)}
    a = stored(tmp_path, "a", *replies(**wrong, i1="Man", i2="Man", i3="Man", i4="Woman"))
    b = stored(tmp_path, "b", *replies(**wrong, i1="Woman", i2="Woman", i3="Woman", i4="Man"))
    found = compare(a, b)
    (group,) = found.by_task
    assert group.p == found.mcnemar_p == pytest.approx(binomtest(1, 4).pvalue)
    assert found.detectable_difference == pytest.approx((Z_95 + Z_POWER_80) * (0.4 / 10) ** 0.5)  # 4 of 10 differ


def test_items_about_one_recording_are_one_cluster(tmp_path: Path) -> None:
    said = {"a": ("Man", "Man", "Man", "Woman", "Man", "Man"), "b": ("Woman", "Woman", "Man", "Man", "Man", "Woman")}
    sources = ["x.wav", "x.wav", "y.wav", "y.wav", "z.wav", "z.wav"]

    def compare_over(sources: list[str]) -> Comparison:
        sides = [
            stored(
                tmp_path,
                name,
                *[
                    {"id": str(number), "model_output": reply, "audio_id": source}
                    for number, (reply, source) in enumerate(zip(said[name], sources, strict=True))
                ],
            )
            for name in "ab"
        ]
        return compare(sides[0], sides[1])

    found = compare_over(sources)
    expected = compute_paired_difference([1, 1, 0, -1, 0, 1], sources)
    assert (found.num_clusters, found.clustered_se) == (3, pytest.approx(expected.se))
    assert found.clustered_p == pytest.approx(compute_clustered_p(expected, 3))
    assert found.ci_95 == pytest.approx(expected.ci_95)
    apart = compare_over([f"{number}.wav" for number in range(6)])
    assert (apart.num_clusters, apart.clustered_se, apart.clustered_p) == (None, None, None)
    unnamed = compare_over([""] * 6)
    assert (unnamed.num_clusters, unnamed.ci_95) == (None, pytest.approx(apart.ci_95))
    together = compare_over(["x.wav"] * 6)
    assert (together.num_clusters, together.clustered_se) == (1, None)


def test_the_better_side_of_each_task_is_the_switch(tmp_path: Path) -> None:
    tasks = {"i1": "sound", "i2": "sound", "i3": "music", "i4": "music"}
    rows_a = [row | {"task": tasks[str(row["id"])]} for row in replies(i1="Man", i2="Man", i3="Woman", i4="Man")]
    rows_b = [row | {"task": tasks[str(row["id"])]} for row in replies(i1="Man", i2="Woman", i3="Man", i4="Man")]
    found = compare(stored(tmp_path, "a", *rows_a), stored(tmp_path, "b", *rows_b))
    assert (found.a.correct, found.b.correct, found.switch_by_task) == (3, 3, 1.0)


def test_the_command_prints_a_table_or_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in "ab":
        stored(tmp_path, name, *replies(i1="Man", i2="Woman"))
    files = [str(tmp_path / f"{name}.json") for name in "ab"]
    with pytest.raises(SystemExit):
        main(["compare", *files, "--json"])
    assert Comparison.model_validate_json(capsys.readouterr().out).n == 2
    with pytest.raises(SystemExit):
        main(["compare", *files])
    assert "McNemar, exact: p = 1" in capsys.readouterr().out


def test_a_file_that_does_not_repeat_the_question_can_be_compared(tmp_path: Path) -> None:
    a = stored(tmp_path, "a", *replies(i1="Man", i2="Man"))
    b = stored(tmp_path, "b", *[row | {"question": ""} for row in replies(i1="Man", i2="Woman")])
    assert (compare(a, b).only_a, compare(b, a).only_b) == (1, 1)
