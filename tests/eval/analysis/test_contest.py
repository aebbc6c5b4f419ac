import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from eval.analysis.contest import Contest, hold_contest
from eval.cli import main
from eval.store.stored import StoredResult, open_stored
from services.errors import BadConfig

ROW = {"question": "Who?", "choices": ["Man", "Woman"], "answer": "Man"}


def stored(folder: Path, name: str, right: Mapping[str, range], n: int = 20) -> StoredResult:
    """Store a result that is right on these items of each task."""
    rows = [
        ROW
        | {"id": f"{task}{number}", "task": task, "category": "Reasoning"}
        | {"model_output": "Man" if number in numbers else "Woman"}
        for task, numbers in right.items()
        for number in range(n)
    ]
    file = folder / f"{name}.json"
    file.write_text(json.dumps(rows))
    return open_stored(file)


@pytest.fixture
def three(tmp_path: Path) -> list[StoredResult]:
    return [
        stored(tmp_path, "a", {"music": range(18), "sound": range(10), "speech": range(12)}),
        stored(tmp_path, "b", {"music": range(4), "sound": range(11), "speech": range(12)}),
        stored(tmp_path, "c", {"music": range(2), "sound": range(9), "speech": range(12)}),
    ]


@pytest.mark.slow
def test_who_wins_is_named_only_where_it_beats_all_others_after_correction(three: list[StoredResult]) -> None:
    found = hold_contest(three)
    music, sound, speech = found.by_task
    assert (music.leader, music.wins, music.runner_up) == ("a.json", True, "b.json")
    assert (music.correct, music.lead) == ({"a.json": 18, "b.json": 4, "c.json": 2}, pytest.approx(0.7))
    # 14 items only a has right, none only b: 2 / 2**14, the second smallest of nine tests.
    assert music.p_holm == pytest.approx(8 * 2 / 2**14)
    assert (sound.leader, sound.wins, sound.p_holm) == ("b.json", False, 1.0)
    assert (speech.leader, speech.wins, speech.lead) == ("a.json", False, 0.0)
    assert (speech.level, sound.level) == (("a.json", "b.json", "c.json"), ("b.json",))
    assert (found.overall.leader, found.overall.n, found.n) == ("a.json", 60, 60)
    assert found.overall.lead_per_s is None, "prediction files do not say what they took"


def test_the_official_verdicts_decide_where_they_are_asked_for(tmp_path: Path) -> None:
    for name, reply in (("a", "It is a man"), ("b", "Woman"), ("c", "Woman")):
        rows = [ROW | {"id": str(number), "task": "speech", "model_output": reply} for number in range(2)]
        rows[1] |= {"model_output": "Man, not Woman"}  # read as Man; the word matcher finds a wrong option's word
        (tmp_path / f"{name}.json").write_text(json.dumps(rows))
    results = [open_stored(tmp_path / f"{name}.json") for name in "abc"]
    strict, official = (hold_contest(results, scorer) for scorer in ("strict", "official"))
    assert [one.correct for one in strict.contestants] == [2, 1, 1]
    assert [one.correct for one in official.contestants] == [1, 0, 0]


@pytest.mark.parametrize("place", [1, 2])
def test_items_of_another_version_are_refused_in_each_result(
    tmp_path: Path, three: list[StoredResult], place: int
) -> None:
    file = tmp_path / f"{'abc'[place]}.json"
    rows = json.loads(file.read_text())
    file.write_text(json.dumps([row | {"answer": "Woman"} for row in rows]))
    three[place] = open_stored(file)
    with pytest.raises(BadConfig, match="differs in field 'answer'"):
        hold_contest(three)


def test_results_of_one_name_or_without_a_common_item_are_refused(tmp_path: Path, three: list[StoredResult]) -> None:
    with pytest.raises(BadConfig, match=r"named 'a\.json', 'b\.json', 'a\.json'; give each"):
        hold_contest([*three[:2], three[0]])
    with pytest.raises(BadConfig, match="share 0 items"):
        hold_contest([*three[:2], stored(tmp_path, "d", {"other": range(3)})])


@pytest.mark.slow
def test_a_run_s_time_is_shared_out_over_its_tasks(make_runs: Callable[..., tuple[Path, Path]], tmp_path: Path) -> None:
    accuracies = {arm: dict.fromkeys(("sound", "music", "speech"), p) for arm, p in (("cascade", 0.9), ("lalm", 0.2))}
    folders = make_runs(accuracies, n=90, slow="music")
    again = tmp_path / "again"
    again.symlink_to(folders[1])
    found = hold_contest([open_stored(folder) for folder in (*folders, again)])
    # 90 questions in 180 s: those on music took four times as long, 30 of them 120 s; the LALM's took 0.5 s each.
    more_s = {field.name: field.more_s for field in found.by_task}
    assert more_s == {"sound": pytest.approx(0.5), "music": pytest.approx(3.5), "speech": pytest.approx(0.5)}
    assert found.overall.more_s == pytest.approx(1.5)


@pytest.mark.slow
def test_the_command_says_what_a_lead_costs(
    make_runs: Callable[..., tuple[Path, Path]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tasks = ("sound", "music", "speech")
    accuracies = {"cascade": dict.fromkeys(tasks, 0.9), "lalm": dict.fromkeys(tasks, 0.2)}
    folders = make_runs(accuracies, n=90)
    again = tmp_path / "again"
    again.symlink_to(folders[1])
    with pytest.raises(SystemExit) as ended:
        main(["compare", *map(str, (*folders, again)), "--json"])
    assert ended.value.code == 0
    overall = Contest.model_validate_json(capsys.readouterr().out).overall
    assert (overall.leader, overall.runner_up, overall.wins) == ("cascade", "lalm", True)
    assert overall.more_s == pytest.approx(1.5)
    assert overall.lead_per_s == pytest.approx(overall.lead / 1.5)
    with pytest.raises(SystemExit):
        main(["compare", *map(str, (*folders, again))])
    assert "points per s" in capsys.readouterr().out
