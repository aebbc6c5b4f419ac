"""Synthesis as a command: what it writes, that a seed makes the same, that it resumes, and that no side leaks."""

import ctypes.util
import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
from pydantic import ValidationError

from lalm.distill.metadata import read_metadata
from lalm.messages import read_conversations
from lalm.synthesise import makers
from lalm.synthesise.config import RecordingsConfig
from lalm.synthesise.recipe import main

HAS_FLUIDSYNTH = ctypes.util.find_library("fluidsynth") is not None


def configured(folder: Path, recordings: Path, **fields: Any) -> Path:  # noqa: ANN401 - keys of every kind
    content = {
        "output": "made",
        "num_clips": 24,
        "validation": 0.3,
        "seed": 3,
        "recordings": {"metadata": str(recordings), "voice_patterns": [r"^reader:(\d+)-"], "teacher": False},
        **fields,
    }
    path = folder / "synthesise.yaml"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.slow
def test_it_writes_clips_rows_about_them_and_their_sources(tmp_path: Path, recordings: Path) -> None:
    assert main([str(configured(tmp_path, recordings))]) == 0
    made = tmp_path / "made"
    clips = read_metadata(made / "clips.jsonl")
    assert len(clips) == 24
    for clip in clips:
        info = soundfile.info(made / clip.audio)
        assert (info.samplerate, info.channels) == (16_000, 1)
        assert info.duration == pytest.approx(clip.duration, abs=0.01)
    rows = [*read_conversations(made / "train.jsonl"), *read_conversations(made / "validation.jsonl")]
    assert {row.id for row in rows} == {clip.id for clip in clips}
    used = {source for clip in clips for source in clip.recordings}
    listed = [json.loads(line) for line in (made / "sources.jsonl").read_text().splitlines()]
    assert {one["id"] for one in listed} == used
    assert {(one["package"], one["licence"], len(one["sha256"])) for one in listed} == {("Test", "CC0", 64)}


@pytest.mark.slow
def test_no_recording_or_speaker_is_heard_on_both_sides(tmp_path: Path, recordings: Path) -> None:
    main([str(configured(tmp_path, recordings))])
    sides = [
        {source for row in read_conversations(tmp_path / "made" / f"{side}.jsonl") for source in row.recordings}
        for side in ("train", "validation")
    ]
    assert all(sides)
    speakers = [{source.split("-")[0] for source in side} for side in sides]
    assert not speakers[0] & speakers[1]


@pytest.mark.slow
def test_the_same_seed_makes_the_same_clips_and_another_makes_others(tmp_path: Path, recordings: Path) -> None:
    folders = [tmp_path / name for name in ("one", "two", "other")]
    for folder, seed in zip(folders, (3, 3, 4), strict=True):
        folder.mkdir()
        main([str(configured(folder, recordings, num_clips=8, seed=seed))])
    files = [sorted((folder / "made" / "audio").iterdir()) for folder in folders]
    contents = [[file.read_bytes() for file in many] for many in files]
    assert contents[0] == contents[1] != contents[2]
    rows = [(folder / "made" / "train.jsonl").read_text() for folder in folders]
    assert rows[0] == rows[1] != rows[2]


@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_ends_as_a_whole_one(
    tmp_path: Path, recordings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    for folder in (whole, cut):
        folder.mkdir()
    main([str(configured(whole, recordings, num_clips=8))])
    path = configured(cut, recordings, num_clips=8)
    make_clip, made = makers.make_clip, []

    def stop_after_three(*args: Any) -> Any:  # noqa: ANN401 - passed on
        if len(made) == 3:
            raise KeyboardInterrupt
        made.append(args)
        return make_clip(*args)

    with monkeypatch.context() as patch:
        patch.setattr("lalm.synthesise.recipe.make_clip", stop_after_three)
        assert main([str(path)]) == 130
    clips = cut / "made" / "clips.jsonl"
    clips.write_text(clips.read_text() + '{"id": "clip-0000')  # what SIGKILL leaves
    assert main([str(path)]) == 0
    for name in ("clips.jsonl", "train.jsonl", "validation.jsonl", "sources.jsonl"):
        assert (cut / "made" / name).read_text() == (whole / "made" / name).read_text()


@pytest.mark.slow
def test_clips_of_another_configuration_are_not_mixed_in(
    tmp_path: Path, recordings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main([str(configured(tmp_path, recordings, num_clips=2))])
    assert main([str(configured(tmp_path, recordings, num_clips=4))]) == 0  # more of the same
    assert main([str(configured(tmp_path, recordings, num_clips=4, seed=9))]) == 2
    assert "clips of another configuration" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"shares": {"polka": 1}}, "shares names 'polka', which is not a kind of clip"),
        ({"soundfonts": {"none": {"file": "no.sf2", "package": "p", "licence": "MIT"}}}, "no.sf2"),
        ({"longest_s": 0.5}, "longest_s"),
        ({"shares": dict.fromkeys(makers.MAKERS, 0)}, "no kind of clip can be made of the sources that are configured"),
    ],
)
def test_a_wrong_configuration_is_one_line(
    tmp_path: Path, recordings: Path, capsys: pytest.CaptureFixture[str], fields: dict[str, Any], said: str
) -> None:
    if "soundfonts" in fields and not HAS_FLUIDSYNTH:
        said = "libfluidsynth3"
    assert main([str(configured(tmp_path, recordings, **fields))]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert said in line


@pytest.mark.parametrize(
    ("pattern", "reason"), [("(", "is not a regular expression: missing )"), ("^x-", "has no group, which would be")]
)
def test_a_pattern_that_finds_no_speaker_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        RecordingsConfig(metadata=Path("a"), voice_patterns=(pattern,))
    assert reason in str(caught.value)


@pytest.mark.slow
def test_recordings_that_cannot_be_used_are_counted(tmp_path: Path, recordings: Path) -> None:
    rows = [json.loads(line) for line in recordings.read_text().splitlines()]
    gone = {**rows[0], "id": "gone", "audio": "gone.wav"}
    several = {**rows[0], "id": "several", "order": ["A bell", "A dog barking"]}
    more = recordings.with_name("more.jsonl")
    more.write_text("".join(json.dumps(row) + "\n" for row in (*rows, gone, several)))
    assert main([str(configured(tmp_path, more, num_clips=1)), "--quiet"]) == 0
    assert json.loads((tmp_path / "made" / "summary.json").read_text())["recordings_left_out"] == {
        "licence": 1,
        "not one sound or one speaker whose words are known": 1,
        "no file": 1,
    }
