"""The command `earwitness` in this process, with scripted models and a home of its own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile

from deploy import cli
from services.catalog import ASRS, CAPTIONERS, LLMS
from services.scripted.ears import ScriptedEars
from services.scripted.llm import ScriptedLLM
from services.scripted.rules import weigh
from services.settings import read_settings
from services.types import AudioClip, Choice, Evidence, Focus, Reading

SAID = Evidence(kind="transcript", source="double", revision="1", text="It was the best of times.", confidence=0.5)


def choose_noisily(prompt: str, choices: tuple[Choice, ...]) -> Reading:
    """Prefer the second option."""
    print("noise of a library")  # noqa: T201
    os.write(1, b"noise of native code\n")
    return weigh(0.25, 0.75)(choices)


def hear_length(clip: AudioClip, focus: Focus | None) -> tuple[str, ...]:
    return (f"Heard for {clip.duration_s:.2f} s.",)


@pytest.fixture
def doubles(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Let the command find scripted models named `double`, and an empty home."""
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path / "home"))
    llm = ScriptedLLM(lambda prompt: f"{len(prompt)} letters", choose_noisily, name="double")
    ears = ScriptedEars(hear_length, lambda _: (SAID,), name="double")
    monkeypatch.setitem(LLMS, "double", lambda _url: llm)
    monkeypatch.setitem(CAPTIONERS, "double", lambda: ears)
    monkeypatch.setitem(ASRS, "double", lambda: ears)
    read_settings.cache_clear()
    yield
    read_settings.cache_clear()


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    """Return a recording of a tone of 1.5 s."""
    path = tmp_path / "clip.wav"
    soundfile.write(path, 0.5 * np.sin(np.arange(24_000) / 5), 16_000)
    return path


@pytest.fixture
def run(doubles: None) -> Callable[..., int]:
    """Return how the command is run: it gives the exit code."""

    def run_command(*arguments: str | Path) -> int:
        try:
            cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            return int(end.code or 0)
        return 0

    return run_command
