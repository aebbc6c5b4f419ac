"""Parameters of a chat completion: refused by name, without effect, or ignored with a warning."""

import json
from typing import Any

import httpx
import pytest
from openai import AsyncOpenAI

from services.errors import BadRequest, Unsupported
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.http.openai.chat import read_chat
from services.http.openai.parameters import warn_of
from services.request_context import ReplyOptions, get_context
from services.scripted.service import ScriptedService
from services.types import Answer, AudioClip, Question

LINES = "What is heard?\n(A) Rain\n(B) A dog"
CHOICES = ["Rain", "A dog"]


def _same(name: str | None) -> str | None:
    return name


def user(text: str, *parts: dict[str, Any]) -> list[Any]:
    return [{"role": "user", "content": [{"type": "text", "text": text}, *parts]}]


def _json(body: dict[str, Any]) -> bytes:
    return json.dumps(body).encode()


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
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"response_format": {"type": "xml"}}, "response_format", "bad_request"),
        (
            {"response_format": {"type": "json_object"}, "choices": CHOICES, "model": "both"},
            *("response_format", "unsupported_parameter"),
        ),
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
        {"max_tokens": -1, "max_completion_tokens": -1, "stream": True, "stream_options": {"include_usage": None}},
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
        wanted.append(get_context().reply_options)
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


@pytest.mark.parametrize(("explain", "is_wanted"), [(True, True), (False, False), (None, False)])
def test_the_answer_brings_its_reasons_where_a_field_of_our_own_asks_for_them(
    explain: bool | None, is_wanted: bool
) -> None:
    chat = read_chat(_json({"messages": user(LINES), "explain": explain}), _same)
    assert chat.asked.question.wants_reasons == is_wanted
    assert chat.ignored == ()
