"""`earwitness mcp` as a client starts it: a process that speaks MCP on stdin and stdout, and nothing else there."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.mcp_server.stdio import LocalHearers, open_models
from eval.options import ModelOptions
from services.errors import UnknownName
from services.scripted.ears import ScriptedEars
from services.scripted.lalm import ScriptedLALM
from services.scripted.llm import ScriptedLLM
from services.scripted.models import ScriptedModels

DOUBLES = Path(__file__).parents[1] / "mcp_with_doubles.py"
MODELS = ("--llm", "double", "--captioner", "double", "--asr", "double")


@pytest.mark.slow
async def test_the_sdks_client_asks_the_command_though_its_libraries_print(takes: Path, tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="pip install 'earwitness[mcp]'")
    from mcp import Client, StdioServerParameters
    from mcp.client.stdio import stdio_client

    env = {"EARWITNESS_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    arguments = [str(DOUBLES), "mcp", "--folder", str(takes), *MODELS]
    async with Client(stdio_client(StdioServerParameters(command=sys.executable, args=arguments, env=env))) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        assert {"ask", "transcribe", "describe", "compare", "listen_denoise"} <= names
        asked = {"recording": "tone.wav", "question": "What?", "options": ["Rain", "A tone"]}
        answer: Any = (await client.call_tool("ask", asked)).structured_content
        assert answer["choice"]["text"] == "A tone" and answer["path"] == "cascade"
        said: Any = (await client.call_tool("transcribe", {"recording": "tone.wav"})).structured_content
        assert [one["text"] for one in said["evidence"]] == ["It was the best of times."]
        one: Any = await client.call_tool("listen_one_channel", {"recording": "tone.wav", "channel": 1})
        assert one.structured_content["derived"]["duration_s"] == 2
        refused: Any = await client.call_tool("transcribe", {"recording": "../outside.wav"})
        assert refused.is_error


@pytest.mark.slow
def test_stdout_holds_messages_only_and_a_client_that_leaves_ends_the_work(takes: Path, tmp_path: Path) -> None:
    pytest.importorskip("mcp", reason="pip install 'earwitness[mcp]'")
    env = {"EARWITNESS_HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    asked = {"recording": "tone.wav", "question": "How long?", "options": ["Short", "Long"]}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, DOUBLES, "mcp", "--folder", takes, *MODELS], env=env, **pipes) as process:
        assert process.stdin and process.stdout and process.stderr
        for message in (
            {"id": 1, "method": "initialize", "params": hello},
            {"method": "notifications/initialized"},
            {"id": 2, "method": "tools/call", "params": {"name": "transcribe", "arguments": {"recording": "tone.wav"}}},
            {"id": 3, "method": "tools/call", "params": {"name": "ask", "arguments": asked}},
        ):
            process.stdin.write(json.dumps({"jsonrpc": "2.0"} | message).encode() + b"\n")
            process.stdin.flush()
        while b"noise of native code" not in process.stderr.readline():
            pass
        process.stdin.close()
        assert process.wait(60) == 0
        said = [json.loads(line) for line in process.stdout]
        assert [one["id"] for one in said if "result" in one] == [1, 2]
        assert b"more noise" in process.stderr.read()


def test_a_folder_that_is_not_there_is_one_line(run: Callable[..., int], capfd: pytest.CaptureFixture[str]) -> None:
    assert run("mcp", "--folder", "/nowhere") == 2
    err = capfd.readouterr().err
    assert err.count("\n") == 1 and "earwitness: " in err


def test_without_the_sdk_the_cure_is_named(
    run: Callable[..., int], takes: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    assert run("mcp", "--folder", takes) == 2
    assert "MCP needs a package that is not here: pip install 'earwitness[mcp]'." in capfd.readouterr().err


def test_a_client_may_name_a_path_that_listens_though_the_command_names_no_lalm() -> None:
    lalm = open_models(ModelOptions()).open_lalm()
    assert lalm.name == "earwitness-tiny"


async def test_two_calls_at_once_open_the_models_of_a_path_once() -> None:
    opened = LocalHearers(ScriptedModels(ScriptedLLM(), ScriptedEars(), ScriptedLALM()), "cascade")
    one, other = await asyncio.gather(opened.find_answerer(None), opened.find_answerer("cascade"))
    assert one is other


async def test_a_path_that_does_not_exist_is_refused_by_its_name() -> None:
    models = ScriptedModels(ScriptedLLM(), ScriptedEars(), ScriptedLALM())
    with pytest.raises(UnknownName, match="No path named 'x'"):
        LocalHearers(models, "x")
    with pytest.raises(UnknownName, match="No path named 'y'"):
        await LocalHearers(models, "cascade").find_answerer("y")
