from pathlib import Path
from xml.etree import ElementTree

import pytest

from eval.display.plots import AccuracyBar, CostPoint, draw_accuracy_against_cost, draw_heat_map, draw_intervals
from eval.scoring.intervals import Interval

BARS = [
    AccuracyBar("cascade", "sound", 0.6, Interval(0.5, 0.7)),
    AccuracyBar("text <only>", "sound", 0.3, Interval(0.2, 0.4)),
]


def texts(svg: str) -> list[str]:
    return [
        "".join(node.itertext()).strip() for node in ElementTree.fromstring(svg).iter() if node.tag.endswith("text")
    ]


@pytest.mark.slow
def test_the_interval_plot_is_valid_svg_that_names_runs_and_groups() -> None:
    svg = draw_intervals(BARS)
    assert {"cascade", "text <only>", "sound"} <= set(texts(svg))
    assert svg.startswith("<svg ")
    assert "<only>" not in svg
    assert "#000000" not in svg
    assert draw_intervals(BARS) == svg


def test_the_heat_map_writes_each_number_and_marks_empty_cells(tmp_path: Path) -> None:
    out = tmp_path / "grid.svg"
    draw_heat_map(["a", "b"], ["x", "y"], [[0.5, 0.25], [None, 1.0]], out, title="tiny")
    assert {"50.0", "25.0", "-", "100.0", "tiny, %", "a", "b", "x", "y"} <= set(texts(out.read_text()))


@pytest.mark.slow
def test_accuracy_is_drawn_against_cost_with_a_legend(tmp_path: Path) -> None:
    dots = [CostPoint("cascade only", 2.0, 0.6, Interval(0.5, 0.7)), CostPoint("oracle", 2.5, 0.9, Interval(0.8, 0.95))]
    draw_accuracy_against_cost(dots, dots, tmp_path / "cost.svg")
    drawn = (tmp_path / "cost.svg").read_text()
    assert all(text in drawn for text in ("cascade only", "oracle", "seconds per question"))
    draw_accuracy_against_cost(dots, dots, tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == drawn


def test_fourteen_runs_differ_in_colour_or_marker() -> None:
    def count_marks(num_runs: int) -> int:
        bars = [AccuracyBar(f"run {number}", "all", 0.5, Interval(0.4, 0.6)) for number in range(num_runs)]
        uses = [node for node in ElementTree.fromstring(draw_intervals(bars)).iter() if node.tag.endswith("}use")]
        return len({(use.get("{http://www.w3.org/1999/xlink}href"), use.get("style")) for use in uses})

    assert count_marks(14) - count_marks(7) == 2 * 7  # in the plot and in its legend
