"""Forms of targets: what the backbone reads, and what stands in the row in its place."""

import json
from pathlib import Path

import pytest

from lalm.distill.forms import CONTINUE
from lalm.distill.recipe import main
from lalm.messages import read_conversations
from services import catalog
from services.scripted.llm import ScriptedLLM

CLIP = "<start_audio><|AUDIO|><end_audio>"


@pytest.mark.parametrize(
    ("form", "read", "content"),
    [
        ("answer", "Where is the cat?", CLIP),
        ("continue", f"{CONTINUE}\n\nWhere is the cat?", f"{CONTINUE}\n\n{CLIP}"),
        ("dialogue", "A woman asks for a cat.", CLIP),
    ],
)
def test_a_form_decides_what_is_read_and_what_is_trained_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, read: str, content: str
) -> None:
    spoken = {"transcript": "Where is the cat?", "caption": "A woman asks for a cat.", "language": "English"}
    row = {"id": "1", "audio": "1.ogg", "duration": 2.0, "task": "speech", "license": "CC0", **spoken}
    silent = {**row, "id": "2", "audio": "2.ogg", "transcript": "", "caption": ""}
    (tmp_path / "clips.jsonl").write_text(json.dumps(row) + "\n" + json.dumps(silent) + "\n")
    for name in ("1.ogg", "2.ogg"):
        (tmp_path / name).touch()
    prompts: list[str] = []

    def reply(prompt: str) -> str:
        prompts.append(prompt)
        return "It sleeps in the garden."

    monkeypatch.setitem(catalog.LLMS, "scripted", lambda url, sampling=None: ScriptedLLM(reply, name="scripted"))
    config = {"metadata": "clips.jsonl", "output": "rows.jsonl", "backbone": "scripted", "form": form}
    (tmp_path / "run.yaml").write_text(json.dumps(config))
    assert main([str(tmp_path / "run.yaml")]) == 0
    (made,) = read_conversations(tmp_path / "rows.jsonl")
    assert [(turn.role, turn.content) for turn in made.messages] == [("user", content)]
    assert made.response == "It sleeps in the garden."
    assert [prompt.endswith(read) for prompt in prompts] == [True]
