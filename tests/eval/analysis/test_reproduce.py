import json
from pathlib import Path

import pytest

from eval.analysis.published import AkbRow, find_akb_category_sizes, find_paper_name, load_published
from eval.analysis.reproduce import Reproduction, reproduce
from eval.cli import main

OWN = Path(__file__).parents[2] / "data" / "published-own.json"
SHARED = Path(__file__).parents[4] / "shared" / "paper" / "published_results.json"
# Recomputed by hand from the printed tables: r, low, high, rho.
ORACLE = {
    ("akb", "mmau_t"): (0.949, 0.86, 0.98, 0.88),
    ("akb", "mmar_t"): (0.961, 0.89, 0.99, 0.98),
    ("mmau_t", "mmar_t"): (0.939, 0.84, 0.98, 0.91),
    ("akb", "mmau_a"): (0.751, 0.10, 0.95, 0.69),
    ("mmau_t", "mmau_a"): (0.771, 0.14, 0.96, 0.74),
    ("mmar_t", "mmau_a"): (0.825, 0.29, 0.97, 0.71),
    ("akb", "mmar_a"): (0.787, 0.18, 0.96, 0.55),
    ("mmau_t", "mmar_a"): (0.714, 0.02, 0.94, 0.71),
    ("mmar_t", "mmar_a"): (0.796, 0.21, 0.96, 0.71),
    ("mmau_a", "mmar_a"): (0.402, -0.42, 0.86, 0.38),
}


@pytest.fixture(scope="module")
def found() -> Reproduction:
    return reproduce()


def test_all_ten_correlations_come_out_and_two_are_printed_wrong(found: Reproduction) -> None:
    assert {(one.x, one.y) for one in found.correlations} == ORACLE.keys()
    for one in found.correlations:
        r, low, high, rho = ORACLE[one.x, one.y]
        assert one.pearson == pytest.approx(r, abs=6e-4)
        assert (*one.fisher_95, one.spearman) == pytest.approx((low, high, rho), abs=6e-3)
    assert {(one.x, one.y) for one in found.correlations if one.is_wrong} == {("akb", "mmau_t"), ("akb", "mmar_t")}


def test_figure_3_is_explained_by_two_shifted_models(found: Reproduction) -> None:
    for one in found.categories:
        assert one.as_plotted == pytest.approx(one.printed, abs=6e-3), one.name
    corrected = {one.name: round(one.corrected, 2) for one in found.categories}
    assert (corrected["mmar_sound"], corrected["mmar_music"]) == (0.48, 0.46)


def test_the_category_sizes_are_the_only_ones_that_fit(found: Reproduction) -> None:
    assert found.akb_sizes == (
        {"sound": 248, "paralinguistic": 594, "phonetic": 217, "music": 401, "quality": 196, "technical": 344},
    )


def test_one_wrong_figure_leaves_no_sizes() -> None:
    rows = list(load_published().akb.values())
    assert find_akb_category_sizes([*rows, AkbRow(**dict(rows[0]) | {"sound": 50.01})]) == ()


def test_what_picking_by_a_proxy_loses(found: Reproduction) -> None:
    points = {(one.proxy, one.target): round(one.points, 1) for one in found.regrets}
    assert [points[proxy, "mmau_a"] for proxy in ("akb", "mmau_t", "mmar_t")] == [5.5, 4.9, 0.4]
    assert [points[proxy, "mmar_a"] for proxy in ("akb", "mmau_t", "mmar_t")] == [0.5, 0.0, 0.1]
    assert {one.picked for one in found.regrets if one.proxy == "akb"} == {"Phi-4-14B"}


def test_the_claim_about_qwen_has_a_counterexample(found: Reproduction) -> None:
    assert found.counterexamples == ("MMAR audio: Llama-3.1-8B 47.7 > Qwen2.5-7B 47.3",)


def test_our_names_find_the_papers() -> None:
    assert [find_paper_name(name) for name in ("phi-4", "qwen3-14b", "olmo-3-7b", "smollm2-135m")] == [
        *("Phi-4-14B", "Qwen3-14B", "OLMo-3-7B", "smollm2-135m"),
    ]


def test_the_packaged_facts_agree_with_a_second_copy_of_some_rows() -> None:
    copied = json.loads(OWN.read_text())
    data = load_published()
    tables = {"akb_2000": data.akb, "audio_grounded_fine_tuned": data.audio_fine_tuned}
    for table, packaged in tables.items():
        assert {name: dict(packaged[name]) for name in copied[table]} == copied[table]
    for name, row in copied["cascade_gemini_caption"].items():
        assert list(dict(data.cascade[name]).values()) == list(row.values())


@pytest.mark.skipif(not SHARED.is_file(), reason=f"the collected results: put them at {SHARED}")
def test_the_packaged_facts_are_the_collected_ones() -> None:
    collected = json.loads(SHARED.read_text())
    data = load_published()
    assert {name: dict(row) for name, row in data.akb.items()} == collected["akb_2000"]
    assert {name: dict(row) for name, row in data.audio_fine_tuned.items()} == collected["audio_grounded_fine_tuned"]
    cascade = collected["cascade_gemini_caption"]
    assert {name: list(dict(row).values()) for name, row in data.cascade.items()} == {
        name: list(row.values()) for name, row in cascade.items()
    }


def test_the_counts_read_off_the_figure_add_up_to_the_printed_scores() -> None:
    for name, counts in load_published().audio_counts.items():
        printed = load_published().audio_fine_tuned[name]
        assert counts.mmau_sound + counts.mmau_music + counts.mmau_speech == round(10 * printed.mmau)
        mmar = counts.mmar_sound + counts.mmar_music + counts.mmar_speech + counts.mmar_rest
        assert mmar == round(10 * printed.mmar)


@pytest.mark.slow
def test_the_command_prints_tables_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["reproduce"])
    printed = capsys.readouterr().out
    assert "sound 248, paralinguistic 594" in printed
    assert "Phi-4-14B and Phi-4-mini-4B are shifted" in printed
    with pytest.raises(SystemExit):
        main(["reproduce", "--json"])
    assert Reproduction.model_validate_json(capsys.readouterr().out) == reproduce()


def test_a_csv_of_percentages_is_set_beside_the_paper_without_an_interval(tmp_path: Path) -> None:
    file = tmp_path / "ours.csv"
    file.write_text("model,mmau:cascade\nphi-4,60\n")
    (one,) = reproduce([file]).ours
    assert (one.model, one.paper, one.ci_95) == ("Phi-4-14B", 62.9, None)
    assert one.difference == pytest.approx(-2.9)
