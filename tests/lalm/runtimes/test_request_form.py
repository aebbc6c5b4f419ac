"""Every served LALM's requests, judged by a loopback server as strict as vLLM's chat API is for that model."""

import base64
import io
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile
from aiohttp import web
from aiohttp.test_utils import TestServer

from lalm.catalog import LALMS, open_lalm
from lalm.prompting import build_messages
from services.errors import TooLarge
from services.types import AudioClip, Question

FIELDS = {"model", "messages", "max_tokens", "temperature", "logprobs", "top_logprobs"}
QUESTION = Question.ask("What is heard?", ("A dog", "A bell"), id="q")


class Rules(NamedTuple):
    """What the server holds one model to."""

    hub_id: str
    max_clips: int
    max_clip_s: float
    system: bool = True


RULES = {
    "qwen2-audio-7b": Rules("Qwen/Qwen2-Audio-7B-Instruct", 8, 30),
    "qwen2.5-omni-3b": Rules("Qwen/Qwen2.5-Omni-3B", 3, 300),
    "qwen2.5-omni-7b": Rules("Qwen/Qwen2.5-Omni-7B", 3, 300),
    "qwen3-omni-30b": Rules("Qwen/Qwen3-Omni-30B-A3B-Instruct", 6, 300),
    "phi-4-mm": Rules("speech", 8, 40),
    "audio-flamingo-3": Rules("nvidia/audio-flamingo-3-hf", 1, 600),
    "voxtral-mini-3b": Rules("mistralai/Voxtral-Mini-3B-2507", 1, 2400, system=False),
    "voxtral-small-24b": Rules("mistralai/Voxtral-Small-24B-2507", 1, 2400, system=False),
    "ultravox-8b": Rules("fixie-ai/ultravox-v0_5-llama-3_1-8b", 8, 30),
    "desta2.5-8b": Rules("DeSTA-ntu/DeSTA2.5-Audio-Llama-3.1-8B", 8, 30),
}


class StrictServer:
    """Answers B, or 400 with what is wrong, or 404 to another model's name; keeps the seconds of each clip."""

    def __init__(self) -> None:
        self.rules = RULES["qwen2-audio-7b"]
        self.heard_s: list[float] = []
        self.texts: list[str] = []

    async def respond(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body["model"] != self.rules.hub_id:
            return web.json_response({"error": {"message": "The model does not exist."}}, status=404)
        if wrong := self._wrong(body):
            return web.json_response({"error": {"message": wrong}}, status=400)
        top = [{"token": "B", "logprob": -0.1}, {"token": "A", "logprob": -2.4}]
        said = {"content": [{"token": "B", "logprob": -0.1, "top_logprobs": top}]}
        choice = {"message": {"role": "assistant", "content": "B"}, "logprobs": said}
        return web.json_response({"choices": [choice]})

    def _wrong(self, body: dict[str, Any]) -> str:
        if unknown := body.keys() - FIELDS:
            return f"unknown fields {unknown}"
        if not self.rules.system and any(message["role"] == "system" for message in body["messages"]):
            return "System messages are not allowed beside audio."
        parts = body["messages"][-1]["content"]
        self.texts = [part["text"] for part in parts if part["type"] == "text"]
        self.heard_s = [_seconds(part) for part in parts if part["type"] != "text"]
        if not 1 <= len(self.heard_s) <= self.rules.max_clips:
            return f"At most {self.rules.max_clips} audio(s) may be provided in one prompt."
        return f"too long: {self.heard_s}" if max(self.heard_s) > self.rules.max_clip_s else ""


def _seconds(part: dict[str, Any]) -> float:
    if part["type"] == "audio_url":
        assert part.keys() == {"type", "audio_url"} and part["audio_url"].keys() == {"url"}
        head, data = part["audio_url"]["url"].split(",")
        assert head == "data:audio/wav;base64"
    else:
        assert part.keys() == {"type", "input_audio"} and part["input_audio"].keys() == {"data", "format"}
        assert part["type"] == "input_audio" and part["input_audio"]["format"] == "wav"
        data = part["input_audio"]["data"]
    samples, rate = soundfile.read(io.BytesIO(base64.b64decode(data, validate=True)))
    assert (rate, samples.ndim) == (16_000, 1)
    return len(samples) / rate


@pytest.fixture
async def strict() -> AsyncIterator[tuple[StrictServer, str]]:
    server = StrictServer()
    app = web.Application(client_max_size=10**9)
    app.router.add_post("/v1/chat/completions", server.respond)
    async with TestServer(app) as running:
        yield server, str(running.make_url("/v1"))


def clip(seconds: float) -> AudioClip:
    return AudioClip(np.zeros(round(seconds * 16_000), np.float32))


@pytest.mark.parametrize("name", RULES)
async def test_the_server_takes_the_request_and_gives_probabilities(
    name: str, strict: tuple[StrictServer, str]
) -> None:
    server, url = strict
    server.rules = RULES[name]
    reading = await open_lalm(name, url).choose(build_messages(QUESTION), clip(2), QUESTION.choices)
    assert reading.probabilities["B"] == pytest.approx(0.909, abs=1e-3)
    assert server.heard_s == [2.0]
    assert "B. A bell" in server.texts[-1]


@pytest.mark.parametrize("name", ["qwen2-audio-7b", "phi-4-mm", "ultravox-8b", "desta2.5-8b"])
async def test_a_long_clip_is_sent_whole_in_parts(name: str, strict: tuple[StrictServer, str]) -> None:
    server, url = strict
    server.rules = RULES[name]
    await open_lalm(name, url).listen(build_messages(QUESTION), clip(92))
    assert sum(server.heard_s) == pytest.approx(92)
    assert len(server.heard_s) == (3 if name == "phi-4-mm" else 4)
    assert f"{len(server.heard_s)} consecutive parts" in server.texts[-1]
    assert len(server.texts) == (5 if name == "desta2.5-8b" else 1)


async def test_what_no_prompt_can_hold_is_an_error_with_both_figures(strict: tuple[StrictServer, str]) -> None:
    server, url = strict
    with pytest.raises(TooLarge, match=r"lasts 601\.0 s.*at most 1 x 600 s"):
        await open_lalm("audio-flamingo-3", url).listen(build_messages(QUESTION), clip(601))
    assert server.heard_s == []


def test_every_served_model_has_its_rules() -> None:
    hosted = {"gemini-2.0-flash", "gemini-2.5-flash", "gemini-2.5-pro", "gpt-4o-audio-preview"}
    assert hosted | RULES.keys() <= LALMS.keys()
