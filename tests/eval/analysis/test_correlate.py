from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from eval.analysis.correlate import correlate_all
from eval.analysis.recommend import recommend
from eval.analysis.score_table import read_family, read_table
from eval.display.correlation import print_correlations
from eval.scoring.statistics import apply_holm_correction, correlate_given
from services.errors import BadConfig

PAPER = """model,akb,mmau_a
Qwen3-14B,85.05,66.20
Qwen3-8B,78.95,61.70
Qwen3-4B,82.00,62.90
Qwen2.5-7B,80.70,66.60
Phi-4-14B,86.35,61.10
Phi-4-mini-4B,70.00,61.00
OLMo-3-7B,69.05,56.90
Llama-3.1-8B,68.10,56.40
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "scores.csv"
    file.write_text(text)
    return file


def test_the_papers_correlation_with_all_its_doubts(tmp_path: Path) -> None:
    (pair,) = correlate_all(read_table([write(tmp_path, PAPER)])).pairs
    assert (pair.x, pair.y, pair.n) == ("akb", "mmau_a", 8)
    assert pair.pearson == pytest.approx(0.751, abs=5e-4)
    assert pair.fisher_95 == pytest.approx((0.10, 0.95), abs=5e-3)
    assert (pair.p, pair.spearman) == (pytest.approx(0.032, abs=5e-4), pytest.approx(0.69, abs=5e-3))
    assert pair.leave_one_out == pytest.approx((0.65, 0.89), abs=5e-3)
    assert pair.leave_one_family_out.keys() == {"qwen", "phi", "olmo", "llama"}
    # Without Qwen, the claim rests on four models.
    others = np.corrcoef([86.35, 70.00, 69.05, 68.10], [61.10, 61.00, 56.90, 56.40])[0, 1]
    assert pair.leave_one_family_out["qwen"] == pytest.approx(others)
    assert (pair.regret, pair.regret_top_2) == (pytest.approx(5.5), pytest.approx(0.4))


def test_three_models_have_no_interval_and_of_two_only_the_scores_are_shown(tmp_path: Path) -> None:
    three = "model,x,y\na,1,2\nb,2,3\nc,3,1\n"
    (pair,) = correlate_all(read_table([write(tmp_path, three)])).pairs
    assert (pair.n, pair.fisher_95, pair.leave_one_out) == (3, None, None)
    two = correlate_all(read_table([write(tmp_path, three.replace("c,3,1", "c,3,"))]))
    assert (two.pairs, two.num_too_few) == ((), 1)
    assert [(score.model, score.column, score.percent) for score in two.scores] == [
        *(("a", "x", 1.0), ("a", "y", 2.0), ("b", "x", 2.0), ("b", "y", 3.0), ("c", "x", 3.0))
    ]
    shown = StringIO()
    print_correlations(two, Console(file=shown))
    assert "No correlation: it needs 3 models that have both scores" in shown.getvalue()
    with pytest.raises(BadConfig, match=r"needs two columns of scores; here are: x\."):
        correlate_all(read_table([write(tmp_path, "model,x\na,1\nb,2\n")]))


def test_a_constant_column_has_no_correlation_but_a_regret(tmp_path: Path) -> None:
    (pair,) = correlate_all(read_table([write(tmp_path, "model,x,y\na,5,2\nb,5,3\nc,5,1\nd,5,1\n")])).pairs
    assert (pair.pearson, pair.p, pair.spearman) == (None, None, None)
    assert pair.regret == 2


def test_only_the_pairs_that_were_asked_for(tmp_path: Path) -> None:
    table = read_table([write(tmp_path, "model,x,y,z\na,1,2,3\nb,2,3,1\nc,3,1,2\n")])
    assert [(pair.x, pair.y) for pair in correlate_all(table).pairs] == [("x", "y"), ("x", "z"), ("y", "z")]
    assert [(pair.x, pair.y) for pair in correlate_all(table, y="z").pairs] == [("x", "z"), ("y", "z")]
    assert [(pair.x, pair.y) for pair in correlate_all(table, "z", "x").pairs] == [("z", "x")]
    with pytest.raises(BadConfig, match=r"No scores named 'w'\. Here are: x, y, z\."):
        correlate_all(table, "w", "x")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,x\na,1\n", "need a header line with 'model'"),
        ("model,x\n", "need a header line"),
        ("model,x,y\na,1,2\nb,ninety,3\n", "row 2, column 'x': 'ninety' is not a percentage"),
        ("model,x,y\na,1,2\na,3,4\n", "row 2 scores 'a' again"),
        ("model,x,y\na,1,2,3\n", "row 1, has 4 cells; its header names 3"),
        ("model,x,x\na,1,2\n", "header names 'x' twice"),
        ("model,x,y\na,1,1_0\n", "row 1, column 'y': '1_0' is not a percentage"),
        ("model,x,y\na,1,200\n", "row 1, column 'y': '200' is not a percentage"),
    ],
)
def test_a_csv_that_is_not_a_table_of_percentages_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(BadConfig, match=said):
        read_table([write(tmp_path, text)])


@pytest.mark.parametrize(
    "text",
    [
        "model;x;y\na;1,5;2\n",
        "sep=;\r\nmodel;x;y\r\na;1.5;2\r\n",
        "model\tx\ty\ra\t1,50 %\t2%\r",
        'model,x,y\na,"1,5",2\n',
    ],
)
def test_percentages_are_read_as_spreadsheets_write_them(tmp_path: Path, text: str) -> None:
    table = read_table([write(tmp_path, text)])
    assert {name: scores["a"].percent for name, scores in table.columns.items()} == {"x": 1.5, "y": 2}


def test_a_control_that_leaves_no_pair_is_refused(tmp_path: Path) -> None:
    table = read_table([write(tmp_path, "model,a,b\nx,1,2\ny,2,3\nz,3,5\n")])
    for names in ({"x": "a", "y": "b"}, {"x": "a"}, {}):
        with pytest.raises(BadConfig, match="'b' is to be held constant, and no two other scores are left"):
            correlate_all(table, **names, control="b")


def test_families_come_from_names_or_from_their_column(tmp_path: Path) -> None:
    assert [read_family(name) for name in ("qwen2.5-7b", "phi-4", "Llama-3", "/models/olmo-3")] == [
        "qwen",
        "phi",
        "llama",
        "olmo",
    ]
    table = read_table([write(tmp_path, "model,family,x\na-1,one,1\nb-2,,2\n")])
    assert table.families == {"a-1": "one", "b-2": "b"}


def test_the_first_by_x_carries_the_regret_that_x_leaves(tmp_path: Path) -> None:
    table = read_table([write(tmp_path, "model,akb-open:text\nbest,80\nsecond,79.9\nlast,40\n")])
    found = recommend(table, n=1440)
    assert [candidate.model for candidate in found.ranked] == ["best", "second", "last"]
    assert found.num_calibration == 8
    rows = [line.split(",") for line in PAPER.splitlines()[1:]]
    line = np.polyfit([float(row[1]) for row in rows], [float(row[2]) for row in rows], 1)
    assert found.slope == pytest.approx(line[0])
    first, second, last = found.ranked
    assert first.p_best is not None
    assert first.p_best == pytest.approx(0.53, abs=0.03)
    assert last.p_best == 0
    assert first.regret < second.regret < last.regret
    assert first.regret == found.regret_top[0] > found.regret_top[1] > found.regret_top[2] == pytest.approx(0, abs=1e-9)
    assert recommend(table, n=1440) == found
    assert first.ci_95 == pytest.approx((77.9, 82.0), abs=0.1)


def test_measured_targets_replace_predictions_and_calibrate(tmp_path: Path) -> None:
    rows = "".join(f"m{number},{50 + 5 * number},{40 + 4 * number}\n" for number in range(6))
    table = read_table([write(tmp_path, "model,akb:text,mmau:lalm\n" + rows + "new,90,\n")])
    found = recommend(table)
    assert (found.calibrated_on, found.num_calibration) == ("the runs given", 6)
    assert found.slope == pytest.approx(0.8)
    assert found.ranked[0].model == "new"
    assert found.ranked[0].predicted == pytest.approx(72, abs=0.01)
    assert found.ranked[1].predicted == 60
    assert found.ranked[0].p_best is None
    assert found.regret_top[0] == pytest.approx(0, abs=1e-6)


def test_one_candidate_is_not_a_choice(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="scores 1 model; a choice takes at least two"):
        recommend(read_table([write(tmp_path, "model,akb:text\na,50\n")]))


def test_pairs_that_too_few_models_share_are_counted_and_excel_files_read(tmp_path: Path) -> None:
    table = read_table([write(tmp_path, "\ufeffmodel,x,y,z\na,1,2,\nb,2,3,\nc,3,1,5\n")])
    found = correlate_all(table)
    assert ([(pair.x, pair.y) for pair in found.pairs], found.num_too_few) == ([("x", "y")], 2)


def test_a_control_that_ranks_the_models_alike_leaves_pearsons_correlation(tmp_path: Path) -> None:
    rows = "a,40.1,30,50\nb,55,45,52\nc,61.2,44,60\nd,70,60,61\ne,72,58,70\nf,80.5,71.3,75\n"
    found = correlate_all(read_table([write(tmp_path, f"model,x,y,z\n{rows}")]), "x", "y", control="z")
    assert (found.pairs[0].partial_pearson, found.pairs[0].partial_spearman) == (pytest.approx(0.8806, abs=1e-4), None)
    shown = StringIO()
    print_correlations(found, Console(file=shown, width=200))
    assert "r 0.881, p = 0.0486; Spearman rho none, as the control ranks the models alike" in shown.getvalue()


def test_a_control_is_held_constant_and_p_is_corrected_for_the_pairs(tmp_path: Path) -> None:
    rows = "a,1,2,1,9\nb,2,3,4,7\nc,3,1,2,8\nd,4,5,3,3\ne,5,4,6,1\n"
    table = read_table([write(tmp_path, f"model,x,y,z,mmlu\n{rows}")])
    found = correlate_all(table, control="mmlu")
    assert [(pair.x, pair.y) for pair in found.pairs] == [("x", "y"), ("x", "z"), ("y", "z")]
    for pair in found.pairs:
        models = table.list_shared(pair.x, pair.y)
        expected = correlate_given(*(table.get_values(name, models) for name in (pair.x, pair.y, "mmlu")))
        assert (pair.control, pair.partial_n) == ("mmlu", 5)
        assert pair.partial_pearson == pytest.approx(expected.pearson)
    assert [pair.p_holm for pair in found.pairs] == pytest.approx(
        apply_holm_correction([pair.p or 0 for pair in found.pairs])
    )
    shown = StringIO()
    print_correlations(found, Console(file=shown, width=200))
    assert "with mmlu held constant (5 models): r " in shown.getvalue()
    assert "3 pairs were tested: p (Holm) is corrected for that." in shown.getvalue()
    with pytest.raises(BadConfig, match="No scores named 'glue'"):
        correlate_all(table, control="glue")
