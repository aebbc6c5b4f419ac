"""What each tool is worth: a tool that is right alone, one that misleads, and those that find nothing."""

import asyncio
import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agents.cascade import Cascade
from eval.benchmarks.benchmark import Item
from eval.cli import main
from eval.run.ablate_tools import CALLED, FILE, ToolAblation, ToolEffect, ToolValue, _Replayer, ablate_tools
from services.catalog import ASRS, CAPTIONERS, LLMS
from services.errors import BadConfig
from services.scripted.ears import ScriptedEars
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.types import AudioClip, Evidence, Focus

CLIP = AudioClip(np.zeros(16_000 * 4, np.float32))
HOW_MANY = Item(
    id="q1", question="How many knocks are heard?", choices=("Two", "Three", "Four"), answer="Three", task="sound"
)


def hear(says: dict[str, str]) -> ScriptedEars:
    """Return ears that state something measured for some topics, and count how often they are asked."""

    def sounds(_: AudioClip, focus: Focus | None) -> tuple[Evidence, ...]:
        text = says.get(focus.topic or "caption") if focus else None
        known = {"kind": "event", "source": "ears", "revision": "1", "end_s": 4.0, "reliability": "measured"}
        return (Evidence.model_validate(known | {"text": text}),) if text else ()

    return ScriptedEars(sounds, name="double")


def replay(says: dict[str, str], *probabilities: float) -> tuple[ScriptedEars, dict[str, float], dict[str, float]]:
    ears = hear(says)
    cascade = Cascade(ScriptedLLM(choose=weigh(*probabilities)), ears, ears)
    done = asyncio.run(_Replayer(cascade, budget=1, num_samples=8, seed=0).replay(HOW_MANY, CLIP))
    return ears, dict(done.without), dict(done.added)


@pytest.mark.slow
def test_a_tool_that_is_right_is_missed_by_the_agent_and_adds_all_that_is_added() -> None:
    ears, without, added = replay({"count": "Number of separate events: 3."}, 0.4, 0.35, 0.25)
    assert without == {"count": 1.0}
    assert added["count"] == pytest.approx(1) and sum(added.values()) == pytest.approx(1)
    topics = [focus.topic for focus in ears.focuses if focus and focus.topic]
    assert len(topics) == len(set(topics)) >= 10, "each tool is called once, however often its finding is weighed"


@pytest.mark.slow
def test_a_tool_that_misleads_loses_what_was_right() -> None:
    _, without, added = replay({"count": "Number of separate events: 4."}, 0.3, 0.4, 0.3)
    assert without == {"count": -1.0} and added["count"] == pytest.approx(-1)


@pytest.mark.slow
def test_tools_that_find_nothing_are_worth_nothing() -> None:
    _, without, added = replay({}, 0.4, 0.35, 0.25)
    assert without == {"count": 0.0} and set(added) == set(CALLED) and not any(added.values())


@pytest.mark.parametrize(("low", "high", "loses"), [(-0.2, -0.01, True), (-0.2, 0.01, False), (0.0, 0.0, False)])
def test_a_tool_loses_only_where_its_interval_is_below_nothing(low: float, high: float, loses: bool) -> None:
    none = ToolEffect(value=0, low=-0.1, high=0.1)
    some = ToolEffect(value=(low + high) / 2, low=low, high=high)
    for leave_one_out, shapley in ((some, none), (none, some)):
        one = ToolValue(tool="count", num_called=1, num_found=1, leave_one_out=leave_one_out, shapley=shapley)
        assert one.loses is loses


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a run over four questions about two recordings, of which the tools get one right."""
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path / "home"))
    ears = hear({"count": "Number of separate events: 3."})
    monkeypatch.setitem(LLMS, "double", lambda _url: ScriptedLLM(choose=weigh(0.4, 0.35, 0.25), name="double"))
    monkeypatch.setitem(CAPTIONERS, "double", lambda: ears)
    monkeypatch.setitem(ASRS, "double", lambda: ears)
    for name in ("a.wav", "b.wav"):
        soundfile.write(tmp_path / name, np.random.default_rng(ord(name[0])).normal(0, 0.1, 16_000), 16_000)
    rows = [
        {
            "id": f"{number}",
            "audio_id": audio,
            "question": question,
            "choices": ["Two", "Three", "Four"],
            "answer": right,
        }
        | {"task": "sound", "difficulty": "easy"}
        for number, (audio, question, right) in enumerate(
            [
                ("a.wav", "How many knocks are heard?", "Three"),
                ("a.wav", "How many knocks are heard here?", "Two"),
                ("b.wav", "Why?", "Two"),
                ("b.wav", "Why not?", "Four"),
            ]
        )
    ]
    bench = tmp_path / "bench.json"
    bench.write_text(json.dumps(rows))
    models = ["--llm", "double", "--captioner", "double", "--asr", "double"]
    out = tmp_path / "run"
    with pytest.raises(SystemExit) as end:
        main(["run", "--path", "cascade", "--bench", str(bench), *models, "--budget", "1", "--out", str(out)])
    assert end.value.code in {0, None}
    return out


@pytest.mark.slow
def test_a_run_folder_is_replayed_and_keeps_the_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = ablate_tools(folder, num_samples=4, seed=1)
    assert ToolAblation.model_validate_json((folder / FILE).read_text()) == found
    assert (found.n, found.num_samples, found.num_correct_once, found.num_correct) == (4, 4, 2, 2)
    count = next(one for one in found.tools if one.tool == "count")
    assert (count.num_called, count.num_found, count.leave_one_out.value) == (2, 4, 0.0)
    capsys.readouterr()
    arguments = ["--samples", "4", "--seed", "1", "--quiet", "--lalm-run", str(folder)]
    with pytest.raises(SystemExit):
        main(["ablate-tools", str(folder), *arguments])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("4 questions: 50.0 % heard once, 50.0 % within 1 action.") and "over 4 drawn" in lines[0]
    assert lines[len(CALLED) + 3 :][0].split("\t") == ["actions", "n", "%", "% once", "% LALM", "won", "lost", "p"]
    assert lines[-1] == "No tool loses beyond chance."


@pytest.mark.slow
def test_a_run_of_another_path_is_refused(folder: Path) -> None:
    record = json.loads((folder / "run.json").read_text())
    record["options"]["path"] = "text"
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(BadConfig, match="is not a run of path cascade"):
        ablate_tools(folder, num_samples=1, seed=0)


@pytest.mark.slow
@pytest.mark.parametrize(("field", "name"), [("prompts_sha256", "prompts"), ("benchmark_sha256", "benchmark")])
def test_a_run_of_other_code_or_questions_is_refused(folder: Path, field: str, name: str) -> None:
    record = json.loads((folder / "run.json").read_text())
    (folder / "run.json").write_text(json.dumps(record | {field: "of before"}))
    with pytest.raises(BadConfig, match=f"than are here now: {name} sha256 was 'of before' and is now"):
        ablate_tools(folder, num_samples=1, seed=0)


@pytest.mark.slow
def test_a_run_whose_model_has_another_revision_is_refused(folder: Path) -> None:
    record = json.loads((folder / "run.json").read_text())
    record["models"][0]["revision"] = "of before"
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(BadConfig, match=r"revision of .* double was 'of before' and is now"):
        ablate_tools(folder, num_samples=1, seed=0)


@pytest.mark.slow
def test_a_run_that_drew_its_replies_is_refused(folder: Path) -> None:
    record = json.loads((folder / "run.json").read_text())
    record["options"]["temperature"] = 0.7
    (folder / "run.json").write_text(json.dumps(record))
    with pytest.raises(BadConfig, match=r"at --temperature 0\.7"):
        ablate_tools(folder, num_samples=1, seed=0)


@pytest.mark.slow
def test_a_file_whose_fields_were_named_is_read_by_them_again(folder: Path) -> None:
    rows = json.loads((folder.parent / "bench.json").read_text())
    renamed = [
        {"n": row["id"], "a": row["audio_id"], "q": row["question"], "o": row["choices"], "r": row["answer"]}
        for row in rows
    ]
    bench, out = folder.parent / "named.json", folder.parent / "named"
    bench.write_text(json.dumps(renamed))
    fields = [f"--fields={name}" for name in ("id=n", "audio=a", "question=q", "choices=o", "answer=r")]
    models = ["--llm", "double", "--captioner", "double", "--asr", "double"]
    with pytest.raises(SystemExit):
        main(["run", "--path", "cascade", "--bench", str(bench), *models, *fields, "--out", str(out)])
    assert ablate_tools(out, num_samples=1, seed=0).n == 4


@pytest.mark.slow
def test_a_run_of_a_lalm_over_other_questions_is_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "predictions.jsonl").write_text((folder / "predictions.jsonl").read_text().splitlines()[0] + "\n")
    with pytest.raises(BadConfig, match="The LALM's run lacks item"):
        ablate_tools(folder, num_samples=1, seed=0, lalm_run=other)
