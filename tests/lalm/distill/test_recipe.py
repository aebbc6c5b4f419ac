"""Stage 1 as a command: what it writes, what it drops, and that it goes on after SIGKILL."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lalm.distill.prompt_pool import SYSTEM
from lalm.distill.recipe import main
from lalm.messages import read_conversations
from services import catalog
from services.scripted.llm import ScriptedLLM

COMMAND = [sys.executable, str(Path(__file__).with_name("distill_with_doubles.py"))]
NUM_CLIPS = 12


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [clip(number) for number in range(NUM_CLIPS)]
    rows.append({**clip(NUM_CLIPS), "license": "CC BY-NC-SA 4.0"})
    rows.append({**clip(NUM_CLIPS + 1), "audio": "nowhere.ogg"})
    (tmp_path / "train.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    for number in range(NUM_CLIPS + 1):
        (tmp_path / f"{number}.ogg").touch()
    return tmp_path


def clip(number: int) -> dict[str, Any]:
    sound = ("A dog barking", "Rain falling", "A chainsaw")[number % 3]
    return {
        "id": f"clip-{number}",
        "audio": f"{number}.ogg",
        "duration": 5.0,
        "task": "sound",
        "caption": f"Sound event: {sound.lower()}.",
        "labels": [sound],
        "license": "CC0",
        "sources": ["Test"],
    }


def configured(folder: Path, name: str = "run", **fields: Any) -> Path:  # noqa: ANN401 - keys of every kind
    path = folder / f"{name}.yaml"
    known = {"metadata": "train.jsonl", "output": f"{name}.jsonl", "backbone": "slow", "concurrency": 4, **fields}
    path.write_text(json.dumps(known))
    return path


def use(monkeypatch: pytest.MonkeyPatch, rule: Callable[[str], str]) -> list[str]:
    """Put a scripted LLM into the catalogue; return the list that its prompts go to."""
    prompts: list[str] = []

    def said(prompt: str) -> str:
        prompts.append(prompt)
        return rule(prompt)

    monkeypatch.setitem(catalog.LLMS, "slow", lambda url, sampling=None: ScriptedLLM(said, name="slow"))
    return prompts


def test_replies_become_rows_in_destas_format_with_their_provenance(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = use(monkeypatch, lambda prompt: f"I hear what {len(prompt)} words could not say.")
    assert main([str(configured(folder, prompts_per_clip=1, prompt_first=1.0))]) == 0
    rows = list(read_conversations(folder / "run.jsonl"))
    assert {row.id for row in rows} == {f"clip-{number}" for number in range(NUM_CLIPS)}
    row = next(row for row in rows if row.id == "clip-0")
    assert row.seed_description == "[00:00-00:05] (Sound: a dog barking)"
    assert row.messages[-1].content == f"{row.prompt}\n\n<start_audio><|AUDIO|><end_audio>"
    assert f"{row.prompt}\n\n<start_audio>{row.seed_description}<end_audio>" in prompts
    assert row.messages[0].content == SYSTEM  # the row is trained under the system prompt that made its reply
    assert (row.source, row.backbone, row.backbone_revision) == ("distilled", "slow", "1")
    assert row.sampling is not None and row.sampling.max_tokens == 128


def test_what_is_dropped_is_kept_aside_with_its_reason_and_counted(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, lambda prompt: "I cannot hear it." if "rain" in prompt.lower() else f"It is {prompt[-30:]}")
    assert main([str(configured(folder, prompts_per_clip=1, styles={"describe": 1}))]) == 0
    summary = json.loads((folder / "run.summary.json").read_text())
    assert (summary["clips"], summary["clips_without_audio"], summary["replies"]) == (NUM_CLIPS, 1, NUM_CLIPS)
    assert summary["clips_without_licence"] == 1
    assert summary["dropped"]["refusal"] == NUM_CLIPS / 3
    dropped = [json.loads(line) for line in (folder / "run.dropped.jsonl").read_text().splitlines()]
    assert len(dropped) + summary["distilled_rows"] == NUM_CLIPS
    assert {one["response"] for one in dropped if one["reason"] == "refusal"} == {"I cannot hear it."}


def test_a_reply_that_contradicts_the_metadata_is_dropped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use(
        monkeypatch,
        lambda prompt: f"A chainsaw, {len(prompt)} times." if "sound" in prompt else f"{len(prompt)} hertz.",
    )
    assert main([str(configured(folder, prompts_per_clip=6, styles={"open_qa": 1}))]) == 0
    dropped = [json.loads(line) for line in (folder / "run.dropped.jsonl").read_text().splitlines()]
    found = {one["id"] for one in dropped if one["reason"] == "contradiction"}
    with_chainsaw = {f"clip-{number}" for number in range(2, NUM_CLIPS, 3)}
    assert found
    assert not found & with_chainsaw


def test_metadata_targets_need_no_llm(folder: Path) -> None:
    path = configured(folder, targets=["metadata"], backbone="", metadata_rounds=2)
    assert main([str(path)]) == 0
    rows = list(read_conversations(folder / "run.jsonl"))
    assert {row.source for row in rows} == {"metadata"}
    assert not (folder / "run.replies.jsonl").exists()


def test_a_second_pass_rewrites_each_reply(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = use(
        monkeypatch, lambda prompt: "The text says so." if "audio>" in prompt else f"It rains {len(prompts)}."
    )
    assert main([str(configured(folder, prompts_per_clip=1, rephrase=True))]) == 0
    assert len(prompts) == 2 * NUM_CLIPS
    assert json.loads((folder / "run.summary.json").read_text())["dropped"].keys() <= {"near-duplicate"}


@pytest.mark.slow
def test_after_sigkill_the_same_command_asks_no_finished_row_again_and_ends_the_same(folder: Path) -> None:
    whole, killed = configured(folder, "whole"), configured(folder, "killed")
    subprocess.run([*COMMAND, str(folder / "whole.log"), str(whole)], check=True, capture_output=True, timeout=60)
    running = subprocess.Popen([*COMMAND, str(folder / "killed.log"), str(killed)], stdout=subprocess.DEVNULL)
    journal = folder / "killed.replies.jsonl"
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and (not journal.exists() or journal.read_bytes().count(b"\n") < 9):
        time.sleep(0.01)
    running.send_signal(signal.SIGKILL)
    running.wait()
    finished = journal.read_bytes().count(b"\n") - 1
    assert 8 <= finished < 2 * NUM_CLIPS
    with journal.open("a") as file:
        file.write('{"asked": "torn')
    subprocess.run([*COMMAND, str(folder / "again.log"), str(killed)], check=True, capture_output=True, timeout=60)
    assert len((folder / "again.log").read_text().splitlines()) == 2 * NUM_CLIPS - finished
    for name in (".jsonl", ".dropped.jsonl", ".summary.json", ".replies.jsonl"):
        assert (folder / f"killed{name}").read_bytes() == (folder / f"whole{name}").read_bytes(), name


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sampling": {"temperature": 1.0}}, "holds replies of another run"),
        ({"styles": {"describe": 1}}, "was another"),
        ({"stiles": {}}, "unknown key 'stiles'; did you mean 'styles'?"),
        ({"backbone": "slwo"}, "No LLM named 'slwo'"),
        ({"backbone": ""}, "needs a backbone"),
        ({"drop_licences": ["NC", "CC0"]}, "No clip is left"),
        ({"metadata": "none.jsonl"}, "cannot be read"),
        ({"metadata": "latin.jsonl"}, "is not UTF-8: byte 0"),
        ({"output": "."}, "is a folder: name a file"),
        ({"output": "train.jsonl/run.jsonl"}, "cannot be made"),
        ({"output": "taken.jsonl"}, "taken.replies.jsonl' cannot be written"),
        ({"styles": {}}, "styles needs a share above 0"),
        ({"styles": {"open_qa": 0}}, "styles needs a share above 0"),
        ({"styles": {"open_qa": -1, "describe": 1}}, "styles.open_qa = -1"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, Any],
    reason: str,
) -> None:
    use(monkeypatch, lambda prompt: f"It is {prompt[-30:]}")
    assert main([str(configured(folder))]) == 0
    (folder / "latin.jsonl").write_bytes(b"\xe9\n")
    (folder / "taken.replies.jsonl").mkdir()
    assert main([str(configured(folder, **changed))]) == 2
    line = capsys.readouterr().err.strip()
    assert reason in line
    assert "\n" not in line


@pytest.mark.parametrize("metadata", ["run.jsonl", "run.dropped.jsonl", "run.summary.json", "run.replies.jsonl"])
def test_the_metadata_is_never_written_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], metadata: str
) -> None:
    use(monkeypatch, lambda prompt: f"It is {prompt[-30:]}")
    before = (folder / "train.jsonl").read_bytes()
    (folder / metadata).hardlink_to(folder / "train.jsonl")
    assert main([str(configured(folder, metadata=metadata))]) == 2
    assert f"{metadata}', which belongs to the output, is the metadata itself" in capsys.readouterr().err
    assert (folder / metadata).read_bytes() == before


def test_an_output_that_cannot_take_its_place_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, lambda prompt: f"It is {prompt[-30:]}")
    (folder / "run.dropped.jsonl").mkdir()
    assert main([str(configured(folder))]) == 2
    line = capsys.readouterr().err.strip()
    assert line.endswith("run.dropped.jsonl' cannot be written: Is a directory.")
    assert not list(folder.glob(".run*"))


def test_replies_that_are_not_text_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, lambda prompt: f"It is {prompt[-30:]}")
    (folder / "run.replies.jsonl").write_bytes(b"\xff\xfe\n")
    assert main([str(configured(folder))]) == 2
    assert "holds replies of another run: \ufffd\ufffd instead of " in capsys.readouterr().err


def test_more_prompts_a_clip_go_on_behind_those_that_were_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = use(monkeypatch, lambda prompt: f"It is {prompt[-30:]}")
    main([str(configured(folder, prompts_per_clip=1))])
    main([str(configured(folder, prompts_per_clip=2))])
    assert len(prompts) == 2 * NUM_CLIPS
