"""`earwitness listen`: the catalogue, one tool over one recording, and what is wrong in one line."""

import json
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from agents.listening.calls import ToolReport
from agents.listening.tools import CATALOGUE, find_tool
from deploy.console.listen import parse_flags
from services.errors import BadConfig

Run = Callable[..., int]
DOUBLES = ("--captioner", "double", "--asr", "double")


def test_flags_are_read_by_the_schema_of_the_tool() -> None:
    given = parse_flags(find_tool("said"), ("--options", "Rain", "--question=Is it = rain?", "--options", "--no--"))
    assert given == {"options": ("Rain", "--no--"), "question": "Is it = rain?"}
    assert parse_flags(find_tool("span"), ("--start-s", "-1")) == {"start_s": "-1"}


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--phrase",), "--phrase has no value; 'times-said' takes --phrase."),
        (("no",), "'no' belongs to no argument of 'times-said'; it takes --phrase."),
        (("--word", "no"), "'times-said' has no argument --word; it takes --phrase."),
        (("--phrase", "no", "--phrase", "yes"), "--phrase is given twice."),
    ],
)
def test_a_flag_that_cannot_be_used_is_named_with_those_that_work(flags: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadConfig) as caught:
        parse_flags(find_tool("times-said"), flags)
    assert str(caught.value) == message


@pytest.mark.slow
def test_without_a_tool_the_tools_are_listed(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("listen") == 0
    lines = capfd.readouterr().out.splitlines()
    assert len(lines) == len(CATALOGUE) + 1
    assert lines[1].split("\t")[::2] == ["times-said", "--phrase", CATALOGUE["times said"].says_nothing]
    assert run("listen", "clip.wav", "--json") == 0
    tools = json.loads(capfd.readouterr().out)["tools"]
    assert [one["name"] for one in tools][:2] == ["times-said", "words"]
    assert tools[0]["arguments"]["properties"]["phrase"]["minLength"] == 1


def test_a_tool_prints_what_it_finds_with_times_and_how_sure_it_is(
    clip: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("listen", clip, "times-said", "--phrase", "best of times", *DOUBLES) == 0
    assert capfd.readouterr().out.splitlines() == [
        "seconds\tkind\tsure\tfinding",
        "0.00-end\tspeaker\t0.50\tNumber of times that 'best of times' is said: 1.",
    ]
    assert run("listen", clip, "times-said", "--phrase", "rain", *DOUBLES) == 0
    assert capfd.readouterr().out == f"Nothing found. {CATALOGUE['times said'].says_nothing}\n"


def test_json_is_a_record_and_what_a_tool_made_can_be_saved(
    clip: Path, run: Run, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    saved = tmp_path / "slow.wav"
    assert run("listen", clip, "slower", "--speed", "0.5", "--json", "--save", saved, *DOUBLES) == 0
    report = ToolReport.model_validate_json(capfd.readouterr().out, extra="ignore")
    assert report.tool == "slower" and report.derived is not None and report.derived.source == report.recording
    assert soundfile.info(saved).duration == pytest.approx(3, abs=0.1)
    assert run("listen", clip, "slower", "--speed", "0.5", *DOUBLES) == 0
    made = report.derived
    first = f"Heard: {made.id}, {made.duration_s:.2f} s, made of {made.source} by slower."
    assert capfd.readouterr().out.splitlines()[0] == first


def test_what_does_not_fit_on_the_disk_is_one_line(
    clip: Path, run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    saved, limits = tmp_path / "slow.wav", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))  # bytes that a file may have
    try:
        code = run("listen", clip, "slower", "--save", saved, *DOUBLES)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert code == 2
    assert capfd.readouterr().err == f"earwitness: '{saved}' cannot be written: File too large.\n"


def test_one_channel_of_a_file_is_heard_by_itself(run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([np.zeros(16_000), 0.5 * np.sin(np.arange(16_000) / 5)], axis=1), 16_000)
    for channel, peak in ((1, 0.0), (2, 0.5)):
        saved = tmp_path / f"{channel}.wav"
        assert run("listen", path, "one-channel", "--channel", str(channel), "--save", saved, *DOUBLES) == 0
        assert np.abs(soundfile.read(saved)[0]).max() == pytest.approx(peak, abs=1e-3)
    capfd.readouterr()
    assert run("listen", path, "one-channel", "--channel", "3", *DOUBLES) == 2
    assert capfd.readouterr().err == "earwitness: channel is 3, but the recording has 2.\n"


def test_arguments_are_checked_before_a_recording_is_looked_for(run: Run, capfd: pytest.CaptureFixture[str]) -> None:
    assert run("listen", "absent.wav", "words", "--unit", "letters") == 2
    assert "Tool 'words': unit is 'letters': Input should be" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("pitchfork",), "No tool named 'pitchfork'. Known: times-said, words, sum,"),
        (("times-said",), "Tool 'times-said': phrase is missing. It takes phrase (required)."),
        (("words", "--unit", "letters"), "Tool 'words': unit is 'letters': Input should be 'words' or 'digits'."),
        (("words", "--other", "b.wav"), "Tool 'words' hears one recording: leave out --other, or take compare."),
        (("words", "--save", "b.wav"), "Tool 'words' made no recording here: leave out --save."),
        (("slower", "--save", "/nowhere/b.wav"), "'/nowhere/b.wav' cannot be written: No such file or directory."),
        (("span", "--start-s", "2"), "start_s is 2, but the recording lasts 1.50 s."),
        (("where-said", "--phrase", "no"), "The ASR 'double' gives no times of words; whisper-base does."),
        (("--phrase", "no"), "No tool named '--phrase'."),
    ],
)
def test_what_cannot_be_done_is_one_line_and_exit_code_2(
    arguments: tuple[str, ...], message: str, clip: Path, run: Run, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run("listen", clip, *arguments, *DOUBLES) == 2
    out, err = capfd.readouterr()
    assert out == "" and err.count("\n") == 1 and err.startswith(f"earwitness: {message}")
