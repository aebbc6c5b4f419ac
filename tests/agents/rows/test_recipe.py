"""Rows for a reader: the very prompts of the cascade, the true letter as the target, and no excluded licence."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agents.rows import recipe
from agents.rows.recipe import main
from lalm.reader.rows import ReaderRow, read_reader_rows
from services.scripted.ears import ScriptedEars
from services.types import SAMPLE_RATE

SOUNDS = ("Dog barking", "Rain falling", "Chainsaw running", "Church bells ringing")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with eight clips of known sounds; the captioner states the number that is the clip's level."""
    rows = []
    for number in range(8):
        soundfile.write(tmp_path / f"{number}.wav", np.resize([1.0, -1.0], 4000) * (number + 1) / 100, SAMPLE_RATE)
        sound = SOUNDS[number % 4]
        rows.append(
            {
                "id": f"clip-{number}",
                "audio": f"{number}.wav",
                "duration": 0.25,
                "task": "sound",
                "caption": f"Sound event: {sound.lower()}.",
                "labels": [sound],
                "license": "CC BY-NC 4.0" if number == 7 else "CC0",
                "recordings": [f"recording-{number}"],
            }
        )
    (tmp_path / "clips.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    ears = ScriptedEars(lambda clip, _: (f"Level {round(float(clip.samples.max()) * 100)}",))
    monkeypatch.setattr(recipe, "open_captioner", lambda _: ears)
    monkeypatch.setattr(recipe, "open_asr", lambda _: ears)
    return tmp_path


def written(folder: Path, **fields: object) -> list[ReaderRow]:
    config = {"metadata": ["clips.jsonl"], "output": "rows.jsonl", "framed": 0, "restyled": 0, **fields}
    (folder / "rows.yaml").write_text(json.dumps(config))
    assert main([str(folder / "rows.yaml"), "--quiet"]) == 0
    return list(read_reader_rows(folder / "rows.jsonl"))


def find_option(row: ReaderRow, letter: str) -> str:
    lines = row.messages[-1].content.splitlines()
    return next(line for line in lines if line.startswith(f"{letter}. "))[3:]


def test_a_row_shows_what_was_heard_of_its_clip_and_its_target_is_the_letter_of_what_is_true(folder: Path) -> None:
    rows = written(folder, unheard=0, listen_again=0)
    named = [row for row in rows if row.kind == "sound"]
    assert named
    for row in named:
        number = int(row.id.removeprefix("clip-"))
        assert f"- Level {number + 1}\n" in row.messages[-1].content
        (letter,) = row.target
        assert find_option(row, letter).lower() == SOUNDS[number % 4].lower()
        assert (row.occasion, row.recordings) == ("heard", (f"recording-{number}",))
    assert len({next(iter(row.target)) for row in rows}) > 1


@pytest.mark.slow
def test_clips_whose_licence_forbids_commercial_use_are_left_out(folder: Path) -> None:
    assert {row.id for row in written(folder)} == {f"clip-{number}" for number in range(7)}


def test_without_the_evidence_of_its_clip_no_option_is_likelier(folder: Path) -> None:
    rows = written(folder, unheard=1)
    for row in rows:
        number = int(row.id.removeprefix("clip-"))
        assert f"Level {number + 1}\n" not in row.messages[-1].content
        assert set(row.target) == set(row.letters)
        assert max(row.target.values()) == pytest.approx(1 / len(row.letters))
    assert {row.occasion for row in rows} == {"unheard"}


@pytest.mark.slow
def test_what_is_found_by_listening_again_is_a_row_of_its_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ears = ScriptedEars(lambda _, focus: ("Everything",) if focus is None else ("Something else",))
    monkeypatch.setattr(recipe, "open_captioner", lambda _: ears)
    rows = written(folder, unheard=0, listen_again=1)
    again = [row for row in rows if row.occasion == "heard again"]
    assert all("- Everything\n" in row.messages[-1].content for row in rows if row.occasion == "heard")
    assert all("Everything" not in row.messages[-1].content for row in again)


@pytest.mark.slow
def test_the_same_configuration_writes_the_same_rows(folder: Path) -> None:
    assert written(folder, framed=0.5, restyled=0.5) == written(folder, framed=0.5, restyled=0.5)


def test_metadata_without_a_usable_licence_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = {"metadata": ["clips.jsonl"], "output": "rows.jsonl", "drop_licences": ["NC", "CC0"]}
    (folder / "rows.yaml").write_text(json.dumps(config))
    assert main([str(folder / "rows.yaml"), "--quiet"]) == 2
    assert "No clip of 'metadata' has a licence that is kept." in capsys.readouterr().err
