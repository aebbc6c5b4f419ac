"""Profile: what is known in text beside what is heard, each by its own groups."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from eval import cli
from eval.analysis.profile import ProfilePair, pair_profiles
from eval.display.profile import draw_profiles
from services.errors import BadConfig

MakeRuns = Callable[..., tuple[Path, Path]]
ACCURACIES = {
    "cascade": {"sound": 0.9, "music": 0.2, "speech": 0.5},
    "lalm": {"sound": 0.3, "music": 0.8, "speech": 0.5},
}


@pytest.fixture
def runs(make_runs: MakeRuns) -> tuple[Path, Path]:
    """Return a run over path text and one over path lalm."""
    text, lalm = make_runs(ACCURACIES)
    record = json.loads((text / "run.json").read_text())
    record["options"] |= {"path": "text", "llm": "reader"}
    (text / "run.json").write_text(json.dumps(record))
    return text, lalm


@pytest.mark.slow
def test_each_run_has_its_own_skills_with_intervals(runs: tuple[Path, Path]) -> None:
    found = pair_profiles(*runs)
    by_name = [{skill.name: skill for skill in one.skills} for one in (found.text, found.lalm)]
    assert found.text.model == "reader"
    assert [set(one) for one in by_name] == [{"sound", "music", "speech"}] * 2
    assert [one["sound"].accuracy for one in by_name] == pytest.approx([0.9, 0.3], abs=0.1)
    assert [one["music"].accuracy for one in by_name] == pytest.approx([0.2, 0.8], abs=0.1)
    for skill in found.lalm.skills:
        assert skill.n == 100
        assert skill.wilson_95.low < skill.accuracy < skill.wilson_95.high
    assert ProfilePair.model_validate_json(found.model_dump_json()) == found


@pytest.mark.slow
def test_the_plot_names_every_skill(runs: tuple[Path, Path], tmp_path: Path) -> None:
    draw_profiles(pair_profiles(*runs), tmp_path / "profile.svg")
    svg = (tmp_path / "profile.svg").read_text()
    for words in ("what reader knows in text: made-up", "hears: made-up", "sound", "music", "speech"):
        assert words in svg


@pytest.mark.slow
def test_the_command_prints_both_and_writes_a_plot(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["profile", *map(str, runs), "--out", str(tmp_path / "p.svg")])
    assert ended.value.code == 0
    said = capsys.readouterr().out
    assert said.count("category\tsub-category\tn\tright %") == 2
    assert (tmp_path / "p.svg").is_file()


@pytest.mark.slow
def test_other_paths_and_files_are_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    text, lalm = runs
    with pytest.raises(BadConfig, match="is a run over path lalm; the first has to be one over path text"):
        pair_profiles(lalm, lalm)
    with pytest.raises(BadConfig, match="is a run over path text; the second has to be one over path lalm or informed"):
        pair_profiles(text, text)


@pytest.mark.slow
def test_a_plot_of_another_format_is_refused(runs: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"p\.txt' cannot be written as a plot: its name has to end in \.svg"):
        draw_profiles(pair_profiles(*runs), tmp_path / "p.txt")
