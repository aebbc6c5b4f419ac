"""Responses as the real OpenAI client requests and reads them."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from services.scripted.service import ScriptedService

LINES = "What is heard?\n(A) Rain\n(B) A dog"


def user(text: str, *parts: dict[str, Any]) -> Any:  # noqa: ANN401 - as the client types it
    return [{"role": "user", "content": [{"type": "input_text", "text": text}, *parts]}]


@pytest.mark.slow
async def test_a_response_names_the_option_and_has_its_usage(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    reply = await client.responses.create(model="cascade", input=user(LINES, recording), temperature=0.2)
    assert (reply.output_text, reply.status, reply.model) == ("A dog", "completed", "cascade")
    assert reply.usage
    assert (reply.usage.input_tokens, reply.usage.output_tokens, reply.usage.total_tokens) == (7, 2, 9)
    assert reply.model_extra
    assert reply.model_extra["earwitness"]["reply"] == "1.50 s"
    assert reply.model_extra["warnings"] == [
        "Ignored, because options are scored, and no reply is sampled: temperature."
    ]


@pytest.mark.slow
async def test_a_text_is_input_enough_and_instructions_ask_for_the_letter(client: AsyncOpenAI) -> None:
    reply = await client.responses.create(model="text", input=LINES, instructions="Reply with a single letter.")
    assert reply.output_text == "B"


async def test_a_file_is_a_recording_and_earlier_items_do_not_count(
    client: AsyncOpenAI, recording: dict[str, Any]
) -> None:
    data = recording["input_audio"]["data"]
    file = {"type": "input_file", "filename": "a.wav", "file_data": f"data:audio/wav;base64,{data}"}
    before = [*user("Who speaks?"), {"type": "function_call_output", "call_id": "1", "output": "x"}]
    reply = await client.responses.create(model="cascade", input=[*before, *user("What is heard?", file)])
    assert reply.output_text == "1.50 s"


@pytest.mark.slow
async def test_a_stream_is_read_by_the_client_from_created_to_completed(
    client: AsyncOpenAI, recording: dict[str, Any]
) -> None:
    async with client.responses.stream(model="auto", input=user(LINES, recording)) as stream:
        kinds = [event.type async for event in stream]
        whole = await stream.get_final_response()
    assert (kinds[0], kinds[-1]) == ("response.created", "response.completed")
    assert (kinds.count("response.output_text.delta"), whole.output_text) == (1, "A dog")
    events = await client.responses.create(model="auto", input=user(LINES, recording), stream=True)
    assert [event.sequence_number async for event in events] == list(range(9))


async def test_json_and_logprobs_are_those_of_a_chat(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"answer": {"enum": ["A", "B"]}}, "required": ["answer"]}
    wanted: Any = {"format": {"type": "json_schema", "name": "heard", "schema": schema}}
    reply = await client.responses.create(
        model="cascade",
        input=user(LINES, recording),
        text=wanted,
        include=["message.output_text.logprobs"],
        top_logprobs=2,
    )
    assert json.loads(reply.output_text) == {"answer": "B"}
    message: Any = reply.output[0]
    assert [one.token for one in message.content[0].logprobs[0].top_logprobs] == ["A", "B"]


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"background": True}, "background"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"input": "What is heard?", "include": ["message.output_text.logprobs"]}, "include"),
        ({"input": "What is heard?", "text": {"format": {"type": "json_object"}}}, "text.format"),
        ({"model": "both", "text": {"format": {"type": "json_object"}}}, "text.format"),
        ({"input": []}, "input"),
        ({"model": "both", "include": ["message.output_text.logprobs"]}, "include"),
    ],
)
async def test_what_cannot_be_done_is_refused_by_name(client: AsyncOpenAI, change: dict[str, Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        await client.responses.create(**({"model": "text", "input": LINES} | change))
    assert refused.value.param == param


async def test_an_alias_works_here_too(client: AsyncOpenAI, scripted: ScriptedService) -> None:
    scripted.aliases = {"gpt-5": "text"}
    assert (await client.responses.create(model="gpt-5", input=LINES)).model == "text"


async def test_what_is_not_kept_is_refused_with_the_cure(client: AsyncOpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="send the earlier turns in 'input'") as refused:
        await client.responses.create(model="text", input=LINES, previous_response_id="resp_1")
    assert refused.value.code == "unsupported_parameter"


async def test_an_item_may_say_that_it_is_a_message(client: AsyncOpenAI) -> None:
    item: Any = {"type": "message", "id": "msg_1", "status": "completed", "role": "user", "content": LINES}
    reply: Any = await client.responses.create(model="text", input=[item])
    assert reply.warnings == []
    odd: Any = await client.responses.create(model="text", input=[item | {"colour": "red"}])
    assert "input[0].colour" in odd.warnings[0]
