"""A LALM in a vLLM of its own: what is refused, and (marker `vllm`) that it hears as in process and leaves nothing."""

import os
import signal
import subprocess
import sys
import time
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from pydantic import ValidationError

from agents.models import ModelNames
from deploy.console import demo
from lalm.catalog import open_lalm
from lalm.export import vllm_version
from lalm.prompting import build_messages
from services.audio import load as audio
from services.errors import BadConfig, ModelError
from services.types import Question

QUESTION = Question.ask("Which instrument is heard?", ("Flute", "Drum kit", "Church organ"))


def test_without_vllm_nothing_else_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(package: str) -> str:
        raise PackageNotFoundError(package)

    monkeypatch.setattr(vllm_version, "version", missing)
    with pytest.raises(
        BadConfig, match=r"needs vLLM 0\.32\.0 beside Earwitness .* none is installed\. Leave lalm_engine"
    ):
        open_lalm("earwitness-tiny", engine="vllm")


def test_another_vllm_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vllm_version, "version", lambda package: "0.31.1+cpu")
    with pytest.raises(BadConfig, match=r"needs vLLM 0\.32\.0; 0\.31\.1 is installed"):
        open_lalm("earwitness-tiny", engine="vllm")


def test_only_runs_of_ours_are_started() -> None:
    with pytest.raises(
        ModelError, match=r"'qwen2-audio-7b' is not one: serve the model yourself and give the URL of its server"
    ):
        open_lalm("qwen2-audio-7b", engine="vllm")


def test_a_lalm_runs_in_one_place() -> None:
    with pytest.raises(ValidationError, match="lalm_url names who runs the LALM: leave out lalm_engine"):
        ModelNames(lalm="earwitness-tiny", lalm_url="http://127.0.0.1:1/v1", lalm_engine="vllm")


OWNER = """
import sys, time
from pathlib import Path
from lalm.train import checkpoint
from lalm.runtimes.own_vllm import VllmServerProcess
server = VllmServerProcess(Path(checkpoint.__file__).with_name("earwitness-tiny"), "earwitness-tiny")
print(server._process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.vllm
@pytest.mark.timeout(900)
async def test_it_hears_as_in_process(tmp_path: Path) -> None:
    demo.write_demo(tmp_path)
    clip, messages = audio.load(tmp_path / "drums.wav"), build_messages(QUESTION, lists_options=False)
    here = await open_lalm("earwitness-tiny").choose(messages, clip, QUESTION.choices)
    there = await open_lalm("earwitness-tiny", engine="vllm").choose(messages, clip, QUESTION.choices)
    assert there.reply == here.reply == "B"
    assert there.probabilities == pytest.approx(here.probabilities, abs=0.02)


@pytest.mark.vllm
@pytest.mark.timeout(900)
def test_it_is_gone_when_its_owner_is_killed() -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    vllm = int(owner.stdout.readline())
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    end = time.monotonic() + 30
    while Path(f"/proc/{vllm}").exists() and time.monotonic() < end:
        time.sleep(0.2)
    assert not Path(f"/proc/{vllm}").exists()
