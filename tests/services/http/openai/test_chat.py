"""Chat completions as the real OpenAI client sends and reads them, over loopback."""

import json
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from services.scripted.service import ScriptedService
from services.types import Answer

BROKEN = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
LINES = "What is heard?\n(A) Rain\n(B) A dog"
CHOICES = ["Rain", "A dog"]


def user(text: str, *parts: dict[str, Any]) -> list[Any]:
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


async def test_options_in_the_text_are_answered_by_the_text_of_the_chosen_one(
    client: AsyncOpenAI, recording: dict[str, Any]
) -> None:
    reply = await client.chat.completions.create(model="cascade/tiny", messages=user(LINES, recording), temperature=0)
    assert reply.choices[0].message.content == "A dog"
    assert (reply.choices[0].finish_reason, reply.model, reply.object) == ("stop", "cascade/tiny", "chat.completion")
    assert reply.usage
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens, reply.usage.total_tokens) == (7, 2, 9)
    assert reply.model_extra
    answer = Answer.model_validate(reply.model_extra["earwitness"])
    assert (answer.probabilities, answer.reply, answer.path) == ({"A": 0.5, "B": 0.5}, "1.50 s", "cascade")
    assert reply.model_extra["warnings"] == []


async def test_options_in_a_field_of_our_own_leave_the_text_alone(
    client: AsyncOpenAI, recording: dict[str, Any]
) -> None:
    reply = await client.chat.completions.create(
        model="lalm", messages=user("same", recording), extra_body={"choices": ["Wind", "A violin"]}
    )
    assert reply.choices[0].message.content == "A violin"


async def test_an_open_question_is_answered_in_the_models_words(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    reply = await client.chat.completions.create(model="cascade", messages=user("What is heard?", recording))
    assert reply.choices[0].message.content == "1.50 s"


@pytest.mark.slow
async def test_both_names_the_models_where_their_answers_differ(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    async def ask(text: str) -> tuple[str | None, Any]:
        reply = await client.chat.completions.create(
            model="both", messages=user(text, recording), extra_body={"choices": CHOICES}
        )
        assert reply.usage
        assert reply.usage.total_tokens == 18
        return reply.choices[0].message.content, (reply.model_extra or {})["earwitness"]

    content, differing = await ask("What is heard?")
    assert content == "cascade/tiny: A dog\nlalm/ear: Rain"
    assert differing["agree"] is False
    content, same = await ask("same")
    assert (content, same["agree"]) == ("A dog", True)


async def test_both_says_what_the_arm_that_is_left_said(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    reply = await client.chat.completions.create(
        model="both", messages=user("fail lalm", recording), extra_body={"choices": CHOICES}
    )
    assert reply.choices[0].message.content == "cascade/tiny: A dog"
    assert reply.usage is not None and reply.usage.total_tokens == 9


async def test_an_alias_answers_as_the_model_that_it_stands_for(
    client: AsyncOpenAI, recording: dict[str, Any], scripted: ScriptedService
) -> None:
    scripted.aliases = {"gpt-4o-audio-preview": "auto", "two": "both"}
    reply = await client.chat.completions.create(model="gpt-4o-audio-preview", messages=user(LINES, recording))
    assert (reply.model, reply.choices[0].message.content) == ("auto", "A dog")
    assert (await client.models.retrieve("gpt-4o-audio-preview")).id == "gpt-4o-audio-preview"
    with pytest.raises(openai.BadRequestError, match="'both' gives two answers"):
        await client.chat.completions.create(model="two", messages=user(LINES, recording), logprobs=True)


async def test_text_needs_no_recording_and_the_others_do(client: AsyncOpenAI) -> None:
    reply = await client.chat.completions.create(model="text/tiny", messages=[{"role": "user", "content": LINES}])
    assert reply.choices[0].message.content == "A dog"
    with pytest.raises(openai.BadRequestError) as failed:
        await client.chat.completions.create(model="cascade", messages=[{"role": "user", "content": LINES}])
    assert (failed.value.param, failed.value.code) == ("messages", "bad_request")


async def test_errors_become_the_clients_own(
    client: AsyncOpenAI, scripted: ScriptedService, recording: dict[str, Any]
) -> None:
    with pytest.raises(openai.NotFoundError, match=r"No model named 'gpt-5'\. Known: cascade/tiny"):
        await client.chat.completions.create(model="gpt-5", messages=user(LINES, recording))
    noise = {"type": "input_audio", "input_audio": {"data": "bm8gYXVkaW8=", "format": "wav"}}
    with pytest.raises(openai.APIStatusError) as undecodable:
        await client.chat.completions.create(model="cascade", messages=user(LINES, noise))
    assert (undecodable.value.status_code, undecodable.value.code) == (415, "unsupported_format")
    scripted.waiting = ("llm",)
    with pytest.raises(openai.InternalServerError) as loading:
        await client.chat.completions.create(model="cascade", messages=user(LINES, recording), stream=True)
    assert (loading.value.status_code, loading.value.code) == (503, "model_unavailable")
    assert loading.value.response.headers["Retry-After"] == "5"
    assert loading.value.request_id


async def test_a_letter_is_answered_where_the_prompt_or_the_field_asks_for_one(
    client: AsyncOpenAI, recording: dict[str, Any]
) -> None:
    async def ask(text: str, **fields: object) -> str | None:
        reply = await client.chat.completions.create(
            model="cascade", messages=user(text, recording), extra_body=fields or None
        )
        return reply.choices[0].message.content

    assert await ask(f"{LINES}\nAnswer with the letter only.") == "B"
    assert await ask(f"Your reply ends with 'ANSWER: $LETTER'.\n\n{LINES}") == "ANSWER: B"
    assert await ask(LINES, reply="letter") == "B"
    assert await ask(f"{LINES}\nAnswer with the letter only.", reply="text") == "A dog"
    assert await ask("What is heard?\n1) Rain\n2) A dog\nReply with the number.") == "2"


async def test_earlier_turns_are_kept_and_their_recording_is_heard_again(
    client: AsyncOpenAI, recording: dict[str, Any]
) -> None:
    earlier = [*user("Who speaks?", recording), {"role": "assistant", "content": "A man.", "tool_calls": None}]
    reply = await client.chat.completions.create(model="cascade", messages=[*earlier, *user("What is heard?")])
    assert reply.choices[0].message.content == "1.50 s"
    assert not (reply.model_extra or {}).get("warnings")


async def test_json_of_a_schema_holds_the_chosen_option(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"sound": {"enum": CHOICES}}, "required": ["sound"]}
    wanted: Any = {"type": "json_schema", "json_schema": {"name": "heard", "schema": schema, "strict": True}}
    reply = await client.chat.completions.create(
        model="cascade", messages=user(LINES, recording), response_format=wanted
    )
    assert json.loads(reply.choices[0].message.content or "") == {"sound": "A dog"}
    with pytest.raises(openai.BadRequestError) as open_question:
        await client.chat.completions.create(
            model="cascade", messages=user("What is heard?", recording), response_format=wanted
        )
    assert (open_question.value.param, open_question.value.code) == ("response_format", "unsupported_parameter")


async def test_several_recordings_are_asked_about_together(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    reply = await client.chat.completions.create(model="cascade", messages=user("Why?", recording, recording))
    assert reply.choices[0].message.content == "1.50 s, 1.50 s"
    with pytest.raises(openai.BadRequestError) as nine:
        await client.chat.completions.create(model="cascade", messages=user("Why?", *[BROKEN] * 9))
    assert (nine.value.param, nine.value.code) == ("messages[0].content[9].input_audio", "too_many_recordings")


async def test_of_several_recordings_the_unreadable_one_is_named(
    client: AsyncOpenAI, recording: dict[str, Any]
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await client.chat.completions.create(model="cascade", messages=user("Why?", recording, BROKEN, recording))
    assert (refused.value.status_code, refused.value.code) == (415, "unsupported_format")
    assert refused.value.param == "messages[0].content[2].input_audio"
    assert str(refused.value.body["message"]).startswith("Recording 2 of 3: ")  # type: ignore[index]


async def test_a_recording_behind_a_url_is_refused(client: AsyncOpenAI) -> None:
    part = {"type": "audio_url", "audio_url": {"url": "https://example.org/a.wav"}}
    with pytest.raises(openai.BadRequestError) as behind:
        await client.chat.completions.create(model="cascade", messages=user(LINES, part))
    assert (behind.value.param, behind.value.code) == ("messages[0].content[1].audio_url", "audio_url_disabled")


async def test_the_client_lists_and_finds_models(client: AsyncOpenAI) -> None:
    names = [model.id async for model in client.models.list()]
    behind_a_slash = await client.get("/models/", cast_to=dict[str, Any])
    assert [model["id"] for model in behind_a_slash["data"]] == names
    assert names == ["cascade/tiny", "text/tiny", "lalm/ear", "auto", "both"]
    assert (await client.models.retrieve("lalm/ear")).id == "lalm/ear"
