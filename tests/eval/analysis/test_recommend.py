from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from eval.analysis.published import load_published
from eval.analysis.recommend import Recommendation, recommend
from eval.analysis.score_table import PercentScore, ScoreTable, read_table
from eval.display.recommendation import print_recommendation

PAPER = load_published().make_table()
TUNED = PAPER.list_shared("akb", "mmau_a")


def table_of(folder: Path, text: str) -> ScoreTable:
    file = folder / "scores.csv"
    file.write_text(text)
    return read_table([file])


def without(model: str, y: str) -> Recommendation:
    """Recommend as if the paper had not measured the model's y."""
    measured = {name: score for name, score in PAPER.columns[y].items() if name != model}
    asked = {name: PAPER.columns["akb"][name] for name in TUNED}
    return recommend(ScoreTable({"akb": asked, y: measured}, PAPER.families), "akb", y)


@pytest.mark.slow
@pytest.mark.parametrize("y", ["mmau_a", "mmar_a"])
def test_the_score_of_a_model_left_out_lies_in_its_interval(y: str) -> None:
    for model in TUNED:
        found = without(model, y)
        (one,) = [candidate for candidate in found.ranked if candidate.model == model]
        assert one.predicted_95 is not None
        assert one.predicted_95.low <= PAPER.columns[y][model].percent <= one.predicted_95.high
        assert found.num_calibration == 7


def test_a_few_measured_models_set_the_level_and_the_paper_the_slope(tmp_path: Path) -> None:
    # On MMAR everything scores about ten points lower than on MMAU, where the paper's other line lies.
    found = recommend(table_of(tmp_path, "model,akb:text,mmar:lalm\na,80,50\nb,70,45\nc,60,\n"))
    c = found.ranked[2]
    assert (c.model, found.num_calibration) == ("c", 8)
    assert c.predicted == pytest.approx(47.5 - 15 * found.slope, abs=0.2)
    assert found.ranked[0].regret < c.regret
    assert "MMAR" in found.calibrated_on and "levelled on the runs" in found.calibrated_on


def test_models_that_tie_by_x_are_equally_good_guesses(tmp_path: Path) -> None:
    found = recommend(table_of(tmp_path, "model,x\na,80\nb,80\nc,80\n"), n=2000)
    assert [one.p_best for one in found.ranked] == pytest.approx([1 / 3] * 3, abs=0.02)
    assert [one.regret for one in found.ranked] == pytest.approx([found.ranked[0].regret] * 3, abs=0.1)
    assert found.regret_top[2] == 0


def test_a_model_that_was_measured_worse_is_not_recommended_for_its_text_score(tmp_path: Path) -> None:
    rows = "".join(f"m{number},{50 + 4 * number},{40 + 3 * number}\n" for number in range(6))
    found = recommend(table_of(tmp_path, f"model,akb:text,mmau:lalm\n{rows}reader,90,30\nnew,69,\n"))
    assert found.ranked[-1].model == "reader"
    assert (found.ranked[-1].measured, found.ranked[-1].predicted) == (True, 30)
    assert found.ranked[0].model != "reader"


def test_a_measured_score_counts_within_its_sampling_error() -> None:
    x = {name: PercentScore(percent, 1000) for name, percent in (("a", 80.0), ("b", 70.0))}
    few, many = (
        recommend(ScoreTable({"x:text": x, "y:lalm": {"a": PercentScore(60.0, n)}}, {})).ranked for n in (25, 2500)
    )
    known = [one.predicted_95 for ranked in (few, many) for one in ranked if one.measured]
    assert [one.high - one.low for one in known if one] == [pytest.approx(38, abs=3), pytest.approx(3.8, abs=0.3)]


def test_ties_and_scores_at_chance_are_said(tmp_path: Path) -> None:
    x = {"a": PercentScore(26.0, 100, 25.0), "b": PercentScore(26.0, 100, 25.0), "c": PercentScore(60.0, 100, 25.0)}
    found = recommend(ScoreTable({"x:text": x}, {}))
    assert [(one.model, one.at_chance, one.tied_with) for one in found.ranked] == [
        ("c", False, ()),
        ("a", True, ("b",)),
        ("b", True, ("a",)),
    ]
    shown = StringIO()
    print_recommendation(found, Console(file=shown))
    assert "At chance on x:text, so that it says nothing of them: a, b." in shown.getvalue()
    assert "a, b tie: nothing here tells them apart" in shown.getvalue()


def test_no_score_is_expected_below_nought_or_above_a_hundred(tmp_path: Path) -> None:
    scores = ScoreTable({
        "akb:text": {"a": PercentScore(40.0, None), "b": PercentScore(30.0, None), "c": PercentScore(99.0, None)},
        "demo:lalm": {"a": PercentScore(100.0, 24), "b": PercentScore(0.0, 24)},
    }, {})  # fmt: skip
    for one in recommend(scores, "akb:text", "demo:lalm").ranked:
        assert 0 <= one.predicted <= 100
        assert one.predicted_95 is not None
        assert 0 <= one.predicted_95.low <= one.predicted_95.high <= 100


def test_a_measured_score_of_unknown_size_has_no_interval(tmp_path: Path) -> None:
    found = recommend(table_of(tmp_path, "model,akb:text,mmau:lalm\na,80,50\nb,70,45\nc,60,\n"))
    assert [one.predicted_95 is None for one in found.ranked] == [True, True, False]
    shown = StringIO()
    print_recommendation(found, Console(file=shown, width=100))
    assert "50.0 measured" in shown.getvalue()
