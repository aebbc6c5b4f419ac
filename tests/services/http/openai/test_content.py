"""Parts of messages: every form in which a text and a recording come."""

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest

from services.errors import BadRequest
from services.http.clips import AudioUpload
from services.http.openai.chat import Chat, read_chat
from services.http.openai.content import OpenValue, list_unknown_fields
from services.types import Value

CLIP = bytes(range(256))
BASE64 = base64.b64encode(CLIP).decode()
URL = "https://audio.example.org/a.wav"


def _same(name: str | None) -> str | None:
    return name


def read(*parts: dict[str, Any], before: tuple[dict[str, Any], ...] = ()) -> tuple[AudioUpload, ...]:
    class Body(Value):
        messages: list[dict[str, Any]]

    asked = {"role": "user", "content": [{"type": "text", "text": "What?"}, *parts]}
    body = Body(messages=[*before, asked]).model_dump_json().encode()
    return read_chat(body, _same).asked.sounds


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": BASE64, "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": BASE64}},
        {"type": "input_audio", "input_audio": {"data": f"data:audio/wav;base64,{BASE64}", "format": "wav"}},
        {"type": "input_audio", "input_audio": {"data": f"data:;base64,{BASE64}"}},
        {"type": "file", "file": {"file_data": BASE64, "filename": "ä.wav"}},
        {"type": "file", "file": {"file_data": f"data:audio/wav;base64,{quote(BASE64)}"}},
        {"type": "input_file", "filename": "a.wav", "file_data": f"data:audio/wav;base64,{BASE64}"},
        {"type": "audio", "audio": f"data:audio/wav;base64,{BASE64}"},
        {"type": "audio", "base64": BASE64, "mime_type": "audio/wav"},
    ],
)
def test_a_recording_may_be_written_in_many_ways(part: dict[str, Any]) -> None:
    (sound,) = read(part)
    assert (sound.data, sound.url) == (CLIP, None)


@pytest.mark.parametrize(
    "part",
    [
        {"type": "audio_url", "audio_url": {"url": URL}},
        {"type": "audio_url", "audio_url": URL},
        {"type": "input_audio", "input_audio": {"data": URL, "format": "wav"}},
        {"type": "audio", "audio_url": URL},
        {"type": "input_file", "file_url": URL},
    ],
)
def test_a_recording_may_be_behind_a_url(part: dict[str, Any]) -> None:
    (sound,) = read(part)
    assert (sound.data, sound.url) == (b"", URL)


@pytest.mark.parametrize(
    ("part", "param"),
    [
        ({"type": "file", "file": {"file_id": "file-1"}}, "messages[0].content[1].file.file_id"),
        ({"type": "input_audio", "input_audio": {"data": "?!"}}, "messages[0].content[1].input_audio.data"),
        ({"type": "audio"}, "messages[0].content[1]"),
        ({"type": "image_url", "image_url": {"url": URL}}, "messages[0].content[1]"),
    ],
)
def test_what_holds_no_recording_is_refused_by_its_place(part: dict[str, Any], param: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(part)
    assert refused.value.param == param


def test_the_recordings_of_the_last_turn_count_and_else_the_last_ones_before_it() -> None:
    def turn(data: bytes) -> dict[str, Any]:
        part = {"type": "input_audio", "input_audio": {"data": base64.b64encode(data).decode()}}
        return {"role": "user", "content": [part]}

    reply = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    earlier = (turn(b"one"), reply, turn(b"two"), reply)
    block = {"type": "audio", "base64": BASE64}
    assert [one.data for one in read(before=earlier)] == [b"two"]
    assert [one.data for one in read(block, before=earlier)] == [CLIP]
    assert [one.data for one in read(block, block, before=(turn(b"three"),))] == [b"three", CLIP, CLIP]
    pair = {"role": "user", "content": [block, *turn(b"two")["content"]]}
    assert [one.data for one in read(before=(turn(b"one"), pair, reply))] == [CLIP, b"two"]


def test_unknown_fields_are_found_by_their_place() -> None:
    class Body(OpenValue):
        parts: tuple["Body", ...] = ()

    body = Body.model_validate({"new": 1, "parts": [{}, {"cache": 2, "parts": [{"deep": 3}]}]})
    assert [*list_unknown_fields(body)] == ["parts[1].cache", "parts[1].parts[0].deep"]
    unset = Body.model_validate(
        {"parts": [{"image_url": None, "cache_control": {"type": "ephemeral"}, "strict": True}]}
    )
    assert [*list_unknown_fields(unset)] == []


def ask(*messages: dict[str, Any]) -> Chat:
    return read_chat(json.dumps({"messages": messages}).encode(), _same)


def say(role: str, content: object) -> dict[str, Any]:
    return {"role": role, "content": content}


def test_what_was_said_in_earlier_turns_goes_with_the_question() -> None:
    first = say("user", [{"type": "text", "text": "Who speaks?"}, {"type": "audio", "base64": BASE64}])
    reply = say("assistant", [{"type": "output_text", "text": "A man."}, {"type": "refusal", "refusal": "no"}])
    called = {"role": "assistant", "content": None, "tool_calls": []}
    chat = ask(say("system", "Be kind."), first, reply, called, say("tool", "42"), say("user", "What does he say?"))
    earlier = [(turn.role, turn.content) for turn in chat.asked.question.earlier]
    assert earlier == [("user", "Who speaks?"), ("assistant", "A man.")]
    assert [warning.split()[0] for warning in chat.warnings] == ["System"]
    assert [sound.data for sound in chat.asked.sounds] == [CLIP]


def test_recordings_and_turns_that_are_left_out_are_counted() -> None:
    part = {"type": "audio", "base64": BASE64}
    other = {"type": "audio", "base64": base64.b64encode(b"other").decode()}
    text = {"type": "text", "text": "What?"}
    reply = say("assistant", "x" * 4_000)
    chat = ask(*[say("user", [text, other]), reply] * 3, say("user", [text, part]))
    assert len(chat.asked.question.earlier) == 4
    assert [warning.split(":")[0] for warning in chat.warnings] == [
        "Recordings of earlier turns that are not heard again",
        "Turns that are left out, because the conversation is long",
    ]
    same = ask(say("user", [text, part]), say("assistant", "A dog."), say("user", [text, part]))
    assert same.warnings == ()
