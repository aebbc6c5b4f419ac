"""Routers on made-up runs whose truth is known."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from agents.routing.router import ArmModels, read_router
from eval.cli import main
from eval.display.routing import print_routing
from eval.routing.arms import read_arms
from eval.routing.routing import RoutingRow, RoutingTable, evaluate_routing
from services.errors import BadConfig
from services.types import Question

COMPLEMENTARY = {
    "cascade": {"sound": 0.35, "music": 0.8, "speech": 0.6},
    "lalm": {"sound": 0.8, "music": 0.35, "speech": 0.6},
}
ALIKE = {
    "cascade": dict.fromkeys(("sound", "music", "speech"), 0.6),
    "lalm": dict.fromkeys(("sound", "music", "speech"), 0.6),
}


def rows(table: RoutingTable) -> dict[str, RoutingRow]:
    return {row.name: row for row in table.rows}


@pytest.mark.slow
def test_where_each_arm_has_its_own_field_the_router_learns_it_from_the_words(make_runs: Callable[..., Path]) -> None:
    fitted, table = evaluate_routing(read_arms(*make_runs(COMPLEMENTARY)))
    found = rows(table)
    assert list(found) == [
        *("cascade only", "lalm only", "modality switch", "confidence switch"),
        *("fitted router", "always both", "oracle"),
    ]
    better = max(found["cascade only"].correct, found["lalm only"].correct)
    router, oracle = found["fitted router"], found["oracle"]
    assert better < router.correct <= oracle.correct
    assert router.mcnemar_p is not None and router.mcnemar_p < 0.001
    assert router.correct >= found["modality switch"].correct - 6
    assert found["confidence switch"].correct < router.correct
    assert router.headroom == pytest.approx((router.correct - better) / (oracle.correct - better))
    assert fitted.route(Question.ask("Which sound is heard in the background?", ("a", "b"))).way != "cascade"
    assert fitted.route(Question.ask("Which instrument plays the melody?", ("a", "b"))).way != "lalm"
    # A way costs what it asks: 2 s and 100 tokens the cascade, 0.5 s and 10 tokens the LALM.
    assert (found["cascade only"].seconds, found["cascade only"].tokens) == pytest.approx((2.0, 100))
    assert (found["lalm only"].seconds, found["lalm only"].tokens) == pytest.approx((0.5, 10))
    assert (found["always both"].seconds, found["always both"].tokens) == pytest.approx((2.5, 110))
    assert 0.5 < found["modality switch"].seconds < 2.0
    assert all(row.mcnemar_p_once is None for row in found.values())
    assert [point.asked_both for point in table.curve] == sorted(point.asked_both for point in table.curve)
    assert (table.curve[0].asked_both, table.curve[-1].asked_both) == (0, 1)
    assert table.curve[-1].seconds == pytest.approx(2.5)


@pytest.mark.slow
def test_the_cascade_that_hears_once_has_a_row_where_the_run_asked_again(make_runs: Callable[..., Path]) -> None:
    found = rows(evaluate_routing(read_arms(*make_runs(COMPLEMENTARY, once=0.25)))[1])
    once, cascade, oracle = found["cascade, heard once"], found["cascade only"], found["oracle"]
    assert (once.correct, once.mcnemar_p_once, once.seconds) == (75, None, None)
    assert cascade.mcnemar_p is None or found["lalm only"].mcnemar_p is None
    assert cascade.mcnemar_p_once is not None and cascade.mcnemar_p_once < 1e-6
    assert oracle.mcnemar_p_once is not None and oracle.mcnemar_p_once < cascade.mcnemar_p_once
    assert once.headroom is not None and once.headroom < 0


@pytest.mark.slow
def test_confidence_that_tells_right_from_wrong_is_used(make_runs: Callable[..., Path]) -> None:
    found = rows(evaluate_routing(read_arms(*make_runs(ALIKE, sure_if=(0.8, 0.4))))[1])
    assert found["confidence switch"].correct == found["oracle"].correct
    assert found["fitted router"].correct == found["oracle"].correct
    assert found["always both"].correct == found["oracle"].correct
    assert abs(found["modality switch"].correct - found["cascade only"].correct) < 30


@pytest.mark.slow
def test_where_nothing_tells_the_arms_apart_the_router_claims_nothing(make_runs: Callable[..., Path]) -> None:
    router = rows(evaluate_routing(read_arms(*make_runs(ALIKE)))[1])["fitted router"]
    assert router.mcnemar_p is not None and router.mcnemar_p > 0.05
    assert router.headroom is not None and router.headroom < 0.35


@pytest.mark.slow
def test_the_task_switch_has_not_seen_the_recording_that_it_chooses_for(make_runs: Callable[..., Path]) -> None:
    arms = read_arms(*make_runs(ALIKE))
    # Every recording is a task of its own: other folds tell nothing of it, and the cascade is taken.
    alone = arms._replace(pairs=tuple(pair._replace(task=pair.source) for pair in arms.pairs))
    found = rows(evaluate_routing(alone)[1])
    assert found["modality switch"].correct == found["cascade only"].correct


@pytest.mark.slow
def test_the_command_writes_a_router_with_its_provenance_and_a_plot(
    make_runs: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, runs = tmp_path / "new" / "router.json", make_runs(COMPLEMENTARY, n=160, failed=range(1, 11))
    with pytest.raises(SystemExit) as ended:
        main(["fit-router", *map(str, runs), "--out", str(out), "--json"])
    assert ended.value.code == 0
    table = RoutingTable.model_validate_json(capsys.readouterr().out)
    router = read_router(out)
    assert (router, table) == evaluate_routing(read_arms(*runs)), "fitting twice gives the same"
    assert router.models == ArmModels(llm="reader", captioner="ears", asr="scribe", lalm="hearer")
    assert router.provenance.runs.keys() == {"cascade", "lalm"}
    assert all(len(digest) == 64 for digest in router.provenance.runs.values())
    assert (router.provenance.questions, router.provenance.discordant) == (150, table.discordant)
    print_routing(table, Console())
    assert "Left out: 10 questions at which an arm failed." in capsys.readouterr().out
    assert "scikit-learn" in router.provenance.versions
    assert set(router.before.names) < set(router.after.names)
    assert json.loads(out.read_text())["format"] == 3
    assert "seconds per question" in out.with_suffix(".svg").read_text()


def test_runs_that_cannot_be_paired_are_refused(make_runs: Callable[..., Path]) -> None:
    cascade, lalm = make_runs(COMPLEMENTARY, n=12)
    with pytest.raises(BadConfig, match=r"both answered 12 questions; .* are about \d clips, and a router needs 20"):
        read_arms(cascade, lalm)
    with pytest.raises(BadConfig, match="is a run over path 'lalm'; name one over 'cascade' in its place"):
        read_arms(lalm, cascade)
    (lalm / "summary.json").unlink()
    with pytest.raises(
        BadConfig, match=r"lalm' is not finished; the same `earwitness eval run` with --out .*lalm goes on with it"
    ):
        read_arms(cascade, lalm)


@pytest.mark.slow
def test_a_failed_item_is_left_out_and_not_taken_for_a_wrong_answer(make_runs: Callable[..., Path]) -> None:
    whole, arms = read_arms(*make_runs(COMPLEMENTARY)), read_arms(*make_runs(COMPLEMENTARY, failed=range(1, 51)))
    assert (whole.num_failed, arms.num_failed, len(arms.pairs)) == (0, 50, 250)
    assert [pair.lalm_right for pair in arms.pairs] == [pair.lalm_right for pair in whole.pairs[50:]]
    with pytest.raises(BadConfig, match="both answered 0 questions"):
        read_arms(*make_runs(COMPLEMENTARY, failed=range(1, 301)))
