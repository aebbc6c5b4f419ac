"""Chat completions as the real OpenAI client sends and reads them, over loopback."""

import json
import math
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI

from services.errors import BadRequest, Unsupported
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.http.openai.chat import read_chat
from services.http.openai.chat_reply import build_completion
from services.http.openai.parameters import warn_of
from services.request_context import ReplyOptions, current_context
from services.scripted.service import ScriptedService
from services.types import Answer, AudioClip, Choice, Question

BROKEN = {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}
LINES = "What is heard?\n(A) Rain\n(B) A dog"
CHOICES = ["Rain", "A dog"]


def _same(name: str | None) -> str | None:
    return name


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


async def test_system_messages_and_token_limits_are_ignored_with_a_warning(
    client: AsyncOpenAI, recording: dict[str, Any]
) -> None:
    messages = [{"role": "system", "content": "Be brief."}, *user(LINES, recording)]
    reply = await client.chat.completions.create(model="cascade", messages=messages, max_tokens=9, seed=3, user="me")
    assert reply.choices[0].message.content == "A dog"
    assert reply.model_extra
    assert [warning.split()[0] for warning in reply.model_extra["warnings"]] == ["Ignored,", "System"]
    assert (
        "max_tokens, seed" in reply.model_extra["warnings"][0] or "seed, max_tokens" in reply.model_extra["warnings"][0]
    )


async def test_a_stream_is_role_content_end_and_usage(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    stream = await client.chat.completions.create(
        model="auto", messages=user(LINES, recording), stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert [(delta.role, delta.content) for delta in deltas] == [("assistant", ""), (None, "A dog"), (None, None)]
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]] == [None, None, "stop"]
    assert len({chunk.id for chunk in chunks}) == 1
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert chunks[-1].usage.total_tokens == 9
    assert chunks[-2].model_extra
    assert chunks[-2].model_extra["earwitness"]["path"] == "auto"


async def test_logprobs_are_those_of_the_option_letters(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    reply = await client.chat.completions.create(
        model="cascade", messages=user(LINES, recording), logprobs=True, top_logprobs=5
    )
    logprobs = reply.choices[0].logprobs
    assert logprobs and logprobs.content
    (letter,) = logprobs.content
    assert (letter.token, letter.bytes, math.exp(letter.logprob)) == ("B", [66], pytest.approx(0.5))
    assert {top.token: round(math.exp(top.logprob), 6) for top in letter.top_logprobs} == {"A": 0.5, "B": 0.5}


async def test_a_stream_brings_the_logprobs_with_the_content(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    stream = await client.chat.completions.create(
        model="cascade", messages=user(LINES, recording), stream=True, logprobs=True
    )
    brought = [chunk.choices[0].logprobs async for chunk in stream]
    assert [bool(one) for one in brought] == [False, True, False]
    assert brought[1] and brought[1].content
    assert [(one.token, one.top_logprobs) for one in brought[1].content] == [("B", [])]


def name(answer: Answer) -> str:
    return answer.reply


def test_an_option_that_is_impossible_has_the_least_logprob_and_no_probabilities_are_refused() -> None:
    choices = (Choice(letter="A", text="Rain"), Choice(letter="B", text="A dog"))
    sure = Answer(question_id="", reply="B", choice=choices[1], probabilities={"A": 0.0, "B": 1.0}, path="lalm")
    whole = build_completion(sure, "lalm", ("", ""), (), name, num_logprobs=1)
    assert whole.choices[0].logprobs
    (letter,) = whole.choices[0].logprobs.content
    assert [(top.token, top.logprob) for top in letter.top_logprobs] == [("B", 0.0)]
    likely = build_completion(sure, "lalm", ("", ""), (), name, num_logprobs=2).choices[0].logprobs
    assert likely
    assert likely.content[0].top_logprobs[1].logprob == -9999.0
    silent = sure.model_copy(update={"probabilities": {}})
    with pytest.raises(Unsupported, match="gave no probabilities"):
        build_completion(silent, "lalm", ("", ""), (), name, num_logprobs=0)


async def test_a_stream_has_no_usage_unless_asked(client: AsyncOpenAI, recording: dict[str, Any]) -> None:
    stream = await client.chat.completions.create(model="auto", messages=user(LINES, recording), stream=True)
    assert [chunk.usage async for chunk in stream] == [None, None, None]


async def test_a_stream_ends_with_done(url: str, recording: dict[str, Any], client: AsyncOpenAI) -> None:
    response = await client.chat.completions.with_raw_response.create(
        model="cascade", messages=user(LINES, recording), stream=True
    )
    lines = [line async for line in response.http_response.aiter_lines()]
    assert response.headers["content-type"].startswith("text/event-stream")
    assert [line for line in lines if line][-1] == "data: [DONE]"


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


@pytest.mark.parametrize(
    ("change", "param", "code"),
    [
        ({"temperature": "hot"}, "temperature", "bad_request"),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"logprobs": True}, "logprobs", "unsupported_parameter"),
        ({"logprobs": True, "choices": CHOICES, "model": "both"}, "logprobs", "unsupported_parameter"),
        ({"top_logprobs": 2, "choices": CHOICES}, "top_logprobs", "unsupported_parameter"),
        ({"logprobs": True, "top_logprobs": 21, "choices": CHOICES}, "top_logprobs", "bad_request"),
        ({"tools": [{"type": "function"}], "tool_choice": "required"}, "tool_choice", "unsupported_parameter"),
        ({"function_call": {"name": "hear"}}, "function_call", "unsupported_parameter"),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "bad_request"),
        ({"choice": ["Rain", "Wind"]}, "choice", "unsupported_parameter"),
        ({"choices": ["Rain"]}, "choices", "bad_request"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "unsupported_parameter"),
        ({"messages": []}, "messages", "bad_request"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages", "bad_request"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages", "bad_request"),
        ({"messages": [{"role": "assistant", "content": "x"}]}, "messages", "bad_request"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "messages[0]", "bad_request"),
        (
            {"messages": user("x", {"type": "input_audio", "input_audio": {"data": "?!"}})},
            "messages[0].content[1].input_audio.data",
            "bad_request",
        ),
        ({"messages": user("x", {"type": "image_url"})}, "messages[0].content[1]", "bad_request"),
    ],
)
def test_what_would_change_the_answer_is_refused_by_name(change: dict[str, Any], param: str, code: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_chat(_json({"messages": user("What?")} | change), _same)
    assert (refused.value.param, refused.value.code) == (param, code)


@pytest.mark.parametrize(
    "harmless",
    [
        {"temperature": 0.0, "top_p": 1.0, "n": 1, "frequency_penalty": 0.0, "presence_penalty": 0, "logit_bias": {}},
        {"tools": [], "stop": None, "logprobs": False, "response_format": {"type": "text"}, "modalities": ["text"]},
        {"user": "me", "metadata": {"a": "b"}, "store": True, "service_tier": "auto"},
        {"tool_choice": "none", "top_k": -1, "min_p": 0, "repetition_penalty": 1.0, "echo": False, "request_id": "x"},
        {"skip_special_tokens": True, "add_generation_prompt": True, "best_of": 1, "stop_token_ids": [], "priority": 0},
    ],
)
def test_what_changes_nothing_is_taken(harmless: dict[str, Any]) -> None:
    chat = read_chat(_json({"messages": user(LINES)} | harmless), _same)
    assert (chat.warnings, chat.ignored) == ((), ())


@pytest.mark.parametrize(
    ("asking", "named"),
    [
        ({"temperature": 0.7, "top_p": 0.9, "stop": ["."], "seed": 4}, "temperature, top_p, stop, seed"),
        ({"max_tokens": 5, "frequency_penalty": 0.5}, "max_tokens, frequency_penalty"),
        ({"tools": [{"type": "function"}]}, "tools"),
        ({"top_k": 40, "guided_choice": ["A"], "mirostat": 2}, "top_k, guided_choice, mirostat"),
        ({"audio": {"voice": "alloy", "format": "wav"}, "reasoning_effort": "high"}, "audio, reasoning_effort"),
        ({"messages": [{"role": "user", "content": LINES, "cache": True}]}, "messages[0].cache"),
    ],
)
def test_what_asks_for_what_is_not_done_is_named_or_refused(asking: dict[str, Any], named: str) -> None:
    body = _json({"messages": user(LINES)} | asking)
    ignored = read_chat(body, _same).ignored
    (warning,) = warn_of(ignored, is_open=False, is_strict=False)
    assert warning == f"Ignored, because options are scored, and no reply is sampled: {named}."
    with pytest.raises(Unsupported) as refused:
        list(warn_of(ignored, is_open=False, is_strict=True))
    assert refused.value.param == named.partition(",")[0]


def test_tools_of_which_none_is_to_be_called_are_not_missed() -> None:
    body = _json({"messages": user(LINES), "tools": [{"type": "function"}], "tool_choice": "none"})
    assert read_chat(body, _same).ignored == ()


async def test_an_open_reply_is_written_as_asked_by_a_model_that_can_be_told(
    client: AsyncOpenAI, scripted: ScriptedService
) -> None:
    wanted: list[ReplyOptions | None] = []

    def write(question: Question, _: AudioClip | None) -> Answer:
        """Note how the reply is to be written."""
        wanted.append(current_context().reply_options)
        choice = question.choices[0] if question.choices else None
        return Answer(question_id="", reply="Rain", choice=choice, path="text", probabilities={})

    async def ask(text: str) -> list[str]:
        """Return the warnings."""
        reply = await client.chat.completions.create(
            model="text", messages=user(text), temperature=0.7, top_p=0.9, stop=".", seed=4, max_tokens=9
        )
        assert reply.model_extra
        warnings: list[str] = reply.model_extra["warnings"]
        return warnings

    scripted.rules["text"] = write
    ignored = "Ignored, because the likeliest reply is given: temperature, top_p, stop, seed, max_tokens."
    assert await ask("What is heard?") == [ignored]
    scripted.told.add("text")
    assert await ask("What is heard?") == ["Ignored, because the likeliest reply is given: max_tokens."]
    assert await ask(LINES) == [
        "Ignored, because options are scored, and no reply is sampled: temperature, top_p, stop, seed, max_tokens."
    ]
    assert wanted == [None, ReplyOptions(temperature=0.7, top_p=0.9, stop=(".",), seed=4), None]


@pytest.mark.parametrize(("model", "status"), [("text", 200), ("lalm", 400)])
async def test_strict_parameters_refuse_what_the_model_cannot_be_told(
    limits: Limits, scripted: ScriptedService, model: str, status: int
) -> None:
    scripted.told.add("text")
    app = create_app(scripted, limits.model_copy(update={"strict_parameters": True}))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        body = {"model": model, "messages": user("What is heard?"), "temperature": 0.7}
        reply = await client.post("/v1/chat/completions", json=body)
    assert reply.status_code == status
    assert status == 200 or reply.json()["error"]["param"] == "temperature"


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


def _json(body: dict[str, Any]) -> bytes:

    return json.dumps(body).encode()


@pytest.mark.parametrize(("explain", "is_wanted"), [(True, True), (False, False), (None, False)])
def test_the_answer_brings_its_reasons_where_a_field_of_our_own_asks_for_them(
    explain: bool | None, is_wanted: bool
) -> None:
    chat = read_chat(_json({"messages": user(LINES), "explain": explain}), _same)
    assert chat.asked.question.wants_reasons == is_wanted
    assert chat.ignored == ()
