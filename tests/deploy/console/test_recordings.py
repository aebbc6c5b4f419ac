"""Recordings named on the command line: files, folders and patterns."""

from pathlib import Path

import pytest

from deploy.console.recordings import find_recordings, require_named
from services.errors import BadAudio, BadConfig, TooManyClips

WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt "


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    names = ("b.wav", "a.mp3", "unnamed", "inner/c.flac", "take [1].wav", ".hidden.wav", "picture.webp", "notes.txt")
    for name in (*names, "demo.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"{}" if path.suffix == ".json" else WAVE)
    return tmp_path


def test_a_folder_brings_what_is_a_recording_by_name_or_content(folder: Path) -> None:
    found = find_recordings([str(folder)])
    names = [path.relative_to(folder).as_posix() for path in found]
    assert names == ["a.mp3", "b.wav", "inner/c.flac", "take [1].wav", "unnamed"]


def test_names_and_patterns_are_taken_once_in_their_order(folder: Path) -> None:
    named = [str(folder / "unnamed"), str(folder / "*.wav"), str(folder / "b.wav"), str(folder / "take [1].wav")]
    assert [path.name for path in find_recordings(named)] == ["unnamed", "b.wav", "take [1].wav"]
    assert [path.name for path in find_recordings([str(folder / "**" / "*.flac")])] == ["c.flac"]
    (folder / "not a file.wav").mkdir()
    assert [path.name for path in find_recordings([str(folder / "*.wav")])] == ["b.wav", "take [1].wav"]


@pytest.mark.parametrize("name", ["nothing/*.wav", "absent.wav", "inner"])
def test_what_brings_no_recording_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    with pytest.raises(BadAudio, match=name.replace("*", r"\*")):
        find_recordings([str(tmp_path / name)])


def test_recordings_before_a_question_are_asked_about_together(folder: Path) -> None:
    assert require_named(["any.wav"], "What?") == (Path("any.wav"),)
    assert require_named(["b.wav", "a.wav", "b.wav"], "What?") == (Path("b.wav"), Path("a.wav"), Path("b.wav"))
    with pytest.raises(BadConfig, match=r"'What\?' is the only argument"):
        require_named([], "What?")
    with pytest.raises(TooManyClips, match="about 9 recordings; at most 8 work"):
        require_named(["a.wav"] * 9, "What?")
    with pytest.raises(BadAudio, match=r"is a directory, not a recording\. With -q QUESTION"):
        require_named([str(folder)], "What?")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("", "The name of the recording is empty"),
        ("-", "'-' is not a file; /dev/stdin reads what is piped in"),
        ("http://127.0.0.1/a.wav", "'http://127.0.0.1/a.wav' is a URL, .* download it"),
        ("file:///tmp/a.wav", "'file:///tmp/a.wav' is a URL"),
        ("s3://bucket/*.wav", "is a URL"),
    ],
)
def test_what_is_no_name_of_a_file_is_refused_with_what_would_work(name: str, line: str) -> None:
    with pytest.raises(BadAudio, match=line):
        require_named([name], "What?")
    with pytest.raises(BadAudio, match=line):
        find_recordings([name])


def test_a_file_whose_name_looks_like_another_thing_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "http:").mkdir()
    for name in ("-", "12:30 talk.wav", "http:/a.wav"):
        Path(name).write_bytes(WAVE)
        assert find_recordings([name]) == (Path(name),)


def test_a_file_in_place_of_the_question_is_named(tmp_path: Path) -> None:
    clip = tmp_path / "b.wav"
    clip.write_bytes(b"RIFF")
    with pytest.raises(BadConfig, match=r"b\.wav' is a file, and the last argument is the question"):
        require_named(["a.wav"], str(clip))
    assert require_named(["a.wav"], "long? " * 500) == (Path("a.wav"),)
