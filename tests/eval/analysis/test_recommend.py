from pathlib import Path

import pytest

from eval.analysis.published import published
from eval.analysis.recommend import Recommendation, recommend
from eval.analysis.score_table import ScoreTable, read_table

PAPER = published().table()
TUNED = PAPER.shared("akb", "mmau_a")


def table_of(folder: Path, text: str) -> ScoreTable:
    file = folder / "scores.csv"
    file.write_text(text)
    return read_table([file])


def without(model: str, y: str) -> Recommendation:
    """Recommend as if the paper had not measured the model's y."""
    measured = {name: score for name, score in PAPER.columns[y].items() if name != model}
    asked = {name: PAPER.columns["akb"][name] for name in TUNED}
    return recommend(ScoreTable({"akb": asked, y: measured}, PAPER.families), "akb", y)


@pytest.mark.parametrize("y", ["mmau_a", "mmar_a"])
def test_the_score_of_a_model_left_out_lies_in_its_interval(y: str) -> None:
    for model in TUNED:
        found = without(model, y)
        (one,) = [candidate for candidate in found.ranked if candidate.model == model]
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
