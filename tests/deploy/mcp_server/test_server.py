"""The MCP server through the SDK's own client, in one process."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp", reason="pip install 'earwitness[mcp]'")

from mcp import Client

from agents.listening.tools import CATALOGUE
from deploy.mcp_server import progress
from deploy.mcp_server.server import build_server
from deploy.mcp_server.tools import McpContext
from services.http.options.unread_options import UNREAD_OPTIONS
from services.progress import report_stage
from services.scripted.service import ScriptedService
from services.types import Answer, AudioClip, Question

MODES = ("legacy", "auto")


async def call(context: McpContext, name: str, mode: str = "auto", **arguments: object) -> Any:  # noqa: ANN401
    async with Client(build_server(context), mode=mode) as client:
        return await client.call_tool(name, arguments)


async def find(context: McpContext, name: str, **arguments: object) -> Any:  # noqa: ANN401 - a JSON object
    result = await call(context, name, **arguments)
    assert not result.is_error, result.content[0].text
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


async def refuse(context: McpContext, name: str, **arguments: object) -> str:
    result = await call(context, name, **arguments)
    assert result.is_error and result.structured_content is None
    text: str = result.content[0].text
    return text


@pytest.mark.parametrize("mode", MODES)
async def test_the_tools_are_listed_with_the_schemas_of_the_catalogue(context: McpContext, mode: str) -> None:
    async with Client(build_server(context), mode=mode) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
    assert set(list(tools)[:4]) == {"recordings", "ask", "transcribe", "describe"}
    assert len(tools) == 4 + len(CATALOGUE)
    said = tools["listen_times_said"]
    assert set(said.input_schema["required"]) == {"phrase", "recording"}
    assert CATALOGUE["times said"].description in (said.description or "")
    assert CATALOGUE["times said"].says_nothing in (said.description or "")
    assert "other_recording" in tools["compare"].input_schema["properties"]
    assert all(tool.annotations and tool.annotations.read_only_hint for tool in tools.values())
    assert all(tool.input_schema["additionalProperties"] is False for tool in tools.values())
    returned = {name: tool.output_schema["properties"] for name, tool in tools.items() if tool.output_schema}
    assert {"reply", "choice", "evidence"} <= set(returned["ask"]) and "findings" in returned["listen_slower"]
    assert set(returned) == set(tools), "the SDK's client checks what a tool returns against it"


@pytest.mark.slow
async def test_a_question_is_answered_with_its_options_and_by_the_model_that_is_named(context: McpContext) -> None:
    found = await find(context, "ask", recording="tone.wav", question="What?", options=["Rain", "A tone"])
    answer = Answer.model_validate(found)
    assert answer.choice is not None and answer.choice.text == "A tone" and answer.reply == "2.00 s"
    asked = {"recording": "tone.wav", "question": "What?", "options": ["Rain", "Hail"]}
    other = await find(context, "ask", model="lalm/ear", **asked)
    assert (other["path"], other["choice"]["text"]) == ("lalm", "Rain")


async def test_options_in_a_question_are_options_and_what_cannot_be_read_is_said(context: McpContext) -> None:
    listed = await find(context, "ask", recording="tone.wav", question="What?\n(A) Rain\n(B) A tone")
    assert (listed["choice"], listed["warnings"]) == ({"letter": "B", "text": "A tone"}, [])
    unread = await find(context, "ask", recording="tone.wav", question="What?\n- Rain\n- A tone")
    assert (unread["choice"], unread["warnings"]) == (None, [UNREAD_OPTIONS])


async def test_null_stands_for_an_argument_that_is_left_out(context: McpContext) -> None:
    unset = dict.fromkeys(("options", "further_recordings", "model", "explain"))
    assert (await find(context, "ask", recording="tone.wav", question="What?", **unset))["reply"] == "2.00 s"
    assert "question: Field required" in await refuse(context, "ask", recording="tone.wav", question=None)


@pytest.mark.slow
async def test_a_question_may_be_about_several_recordings_in_their_order(context: McpContext) -> None:
    asked = {"recording": "loud.wav", "further_recordings": ["tone.wav", "loud.wav"], "question": "Which is louder?"}
    assert (await find(context, "ask", **asked))["reply"] == "2.00 s, 2.00 s, 2.00 s"
    many = asked | {"further_recordings": ["tone.wav"] * 8}
    assert (await refuse(context, "ask", **many)).startswith("The question is about 9 recordings; at most 8 work.")
    outside = asked | {"further_recordings": ["../outside.wav"]}
    assert (await refuse(context, "ask", **outside)).startswith("No recording '../outside.wav' below")
    short = context._replace(longest_s=5.0)
    assert (await refuse(short, "ask", **asked)) == (
        "The first 3 recordings of the question last 6.0 s together; at most 5 s work."
    )


@pytest.mark.slow
async def test_recordings_are_listed_transcribed_and_described_with_times(context: McpContext) -> None:
    listed = {"recordings": ["loud.wav", "tone.wav"], "num_unnameable": 0, "is_cut_off": False}
    assert await find(context, "recordings") == listed
    said = await find(context, "transcribe", recording="tone.wav")
    assert [one["text"] for one in said["evidence"]][1:] == ["Good morning.", "It rains."]
    assert (said["source"], said["duration_s"], said["evidence"][1]["end_s"]) == ("whisper-tiny", 2.0, 1.0)
    assert await find(context, "describe", recording="tone.wav") == {
        "source": "scripted",
        "duration_s": 2.0,
        "evidence": [],
    }


@pytest.mark.slow
async def test_tools_of_the_catalogue_hear_with_arguments_of_their_own(context: McpContext) -> None:
    said = await find(context, "listen_where_said", recording="tone.wav", phrase="good morning")
    assert [(one["start_s"], one["end_s"]) for one in said["findings"]] == [(0.25, 1.0)]
    spectrum = await find(context, "listen_spectrum", recording="tone.wav", start_s=0.5, end_s=1.5)
    assert spectrum["findings"][0]["text"] == "Fundamental frequency: 440 Hz."
    slow = await find(context, "listen_slower", recording="tone.wav", speed=0.5)
    assert slow["derived"]["source"] == slow["recording"] == spectrum["recording"]
    nothing = await find(context, "listen_times_said", recording="tone.wav", phrase="no")
    assert nothing["says_nothing"] == CATALOGUE["times said"].says_nothing and nothing["findings"] == []


@pytest.mark.weights
async def test_two_recordings_are_compared(context: McpContext) -> None:
    found = await find(context, "compare", recording="tone.wav", other_recording="loud.wav")
    texts = [one["text"] for one in found["findings"]]
    assert "The second is 6.0 dB louder than the first." in texts
    assert "The second is as high as the first." in texts


@pytest.mark.slow
async def test_what_cannot_be_done_comes_back_in_words_that_say_what_would_work(
    context: McpContext, takes: Path
) -> None:
    outside = f"No recording '../outside.wav' below '{takes}'."
    assert await refuse(context, "transcribe", recording="../outside.wav") == outside
    assert await refuse(context, "compare", recording="tone.wav", other_recording="../outside.wav") == outside
    assert (await refuse(context, "play")).startswith("No tool named 'play'. Known: recordings, ask,")
    assert (await refuse(context, "ask", recording="tone.wav")).startswith("question: Field required. ask takes")
    assert (await refuse(context, "recordings", folder="/")).startswith("folder: Extra inputs are not permitted")
    assert "options: Input should be a valid array. 'ab' was given. ask takes recording," in await refuse(
        context, "ask", recording="tone.wav", question="What?", options="ab"
    )
    half_of_a_note = "What is \ud83c"
    assert (await refuse(context, "ask", recording="tone.wav", question=half_of_a_note)).startswith(
        "question: the text"
    )
    assert "less than 1" in await refuse(context, "listen_slower", recording="tone.wav", speed=3)
    assert await refuse(context, "ask", recording="tone.wav", question="fail") == "The server answered 500."
    assert "No model named 'x'" in await refuse(context, "ask", recording="tone.wav", question="What?", model="x")
    (takes / "bad.wav").write_bytes(b"RIFF nothing")
    assert "bad.wav" in await refuse(context, "transcribe", recording="bad.wav")


async def test_a_bug_is_logged_and_the_client_is_told_of_it_without_its_words(
    context: McpContext, caplog: pytest.LogCaptureFixture
) -> None:
    said = await refuse(context, "ask", recording="tone.wav", question="bug", options=["a secret", "b"])
    assert said == "An error of Earwitness itself; its log has the traceback."
    facts = [vars(record)["facts"] for record in caplog.records if record.msg == "bug"]
    assert facts[0]["error"] == "ZeroDivisionError" and "secret" not in json.dumps(facts)


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_asks_for_it_is_told_what_a_call_is_at(
    context: McpContext, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[tuple[float, str | None]]()
    enough = asyncio.Event()

    async def note(seconds: float, total: float | None, message: str | None) -> None:
        told.append((seconds, message))
        assert total is None
        if len(told) == 3:
            enough.set()

    async def answer(question: Question, _: AudioClip | None) -> Answer:
        with report_stage("download qwen", total=8, unit="bytes") as stage:
            stage.advance_to(2)
            await enough.wait()
        return Answer(question_id=question.id, reply="Rain", choice=None, path="cascade")

    monkeypatch.setattr(progress, "EVERY_S", 0.11)
    slow = context._replace(hearers=ScriptedService({"cascade": answer}))
    async with Client(build_server(slow), mode=mode) as client:
        asked = {"recording": "tone.wav", "question": "What?"}
        found: Any = await client.call_tool("ask", asked, progress_callback=note)
    assert found.structured_content["reply"] == "Rain"
    seconds = [one for one, _ in told]
    assert seconds == sorted(set(seconds)) and {words for _, words in told} == {"download qwen, 2 of 8 bytes"}


async def test_a_call_that_the_client_gives_up_is_stopped(context: McpContext) -> None:
    import anyio

    service = context.hearers
    assert isinstance(service, ScriptedService)
    async with Client(build_server(context), mode="legacy") as client:
        with anyio.move_on_after(0.5):
            await client.call_tool("ask", {"recording": "tone.wav", "question": "slow"})
        await anyio.sleep(0.1)
    assert service.cancelled == ["cascade"]
