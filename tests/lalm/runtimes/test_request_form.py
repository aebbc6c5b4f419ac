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

from agents.reading.reply import read_choice
from deploy.console.stock import list_known
from lalm.catalog import ModelHost, open_lalm
from lalm.names import DEFAULT_LALM
from lalm.prompting import build_messages
from lalm.served_models import LalmEntry, read_served_models
from services.errors import ModelError, TooLarge
from services.settings import read_settings
from services.types import AudioClip, Question

FIELDS = {"model", "messages", "max_tokens", "temperature", "logprobs", "top_logprobs"}
STREAM_FIELDS = {"stream", "stream_options", "modalities"}
QUESTION = Question.ask("What is heard?", ("A dog", "A bell"), id="q")


class Rules(NamedTuple):
    """What the server holds one model to."""

    hub_id: str
    max_clips: int
    max_clip_s: float
    system: bool = True
    part: str = "input_audio"
    thinks: bool = False
    """It answers behind its thoughts, which the reply holds."""


NEEDS_STREAM = "data:;base64,"  # how Alibaba's API wants the audio, and a stream it then replies with

RULES = {
    "qwen2-audio-7b": Rules("Qwen/Qwen2-Audio-7B-Instruct", 8, 30),
    "qwen2.5-omni-3b": Rules("Qwen/Qwen2.5-Omni-3B", 3, 300),
    "qwen2.5-omni-7b": Rules("Qwen/Qwen2.5-Omni-7B", 3, 300),
    "qwen3-omni-30b": Rules("Qwen/Qwen3-Omni-30B-A3B-Instruct", 6, 300, system=False),
    "qwen3-omni-30b-thinking": Rules("Qwen/Qwen3-Omni-30B-A3B-Thinking", 6, 300, system=False, thinks=True),
    "qwen3.5-omni-plus": Rules("qwen3.5-omni-plus", 1, 180, part=NEEDS_STREAM),
    "qwen3.5-omni-flash": Rules("qwen3.5-omni-flash", 1, 180, part=NEEDS_STREAM),
    "moss-audio-4b": Rules("OpenMOSS-Team/MOSS-Audio-4B-Instruct", 8, 150, system=False, part="audio_url"),
    "moss-audio-4b-thinking": Rules("default", 8, 150, system=False, part="audio_url", thinks=True),
    "moss-audio-8b": Rules("default", 8, 150, system=False, part="audio_url"),
    "moss-audio-8b-thinking": Rules(
        "OpenMOSS-Team/MOSS-Audio-8B-Thinking", 8, 150, system=False, part="audio_url", thinks=True
    ),
    "step-audio-r1": Rules("Step-Audio-R1", 24, 25, thinks=True),
    "step-audio-r1.1": Rules("Step-Audio-R1.1", 24, 25, thinks=True),
    "mimo-audio-7b": Rules("MiMo-Audio-7B-Instruct", 1, 600, system=False, part="audio_url"),
    "kimi-audio-7b": Rules("moonshotai/Kimi-Audio-7B-Instruct", 16, 30, system=False),
    "phi-4-mm": Rules("speech", 8, 40),
    "audio-flamingo-3": Rules("nvidia/audio-flamingo-3-hf", 1, 600),
    "audio-flamingo-next": Rules("nvidia/audio-flamingo-next-hf", 1, 1200),
    "audio-flamingo-next-think": Rules("nvidia/audio-flamingo-next-think-hf", 1, 1200, thinks=True),
    "voxtral-mini-3b": Rules("mistralai/Voxtral-Mini-3B-2507", 1, 2400, system=False),
    "voxtral-small-24b": Rules("mistralai/Voxtral-Small-24B-2507", 1, 2400, system=False),
    "ultravox-8b": Rules("fixie-ai/ultravox-v0_5-llama-3_1-8b", 8, 30, part="audio_url"),
    "desta2.5-8b": Rules("DeSTA-ntu/DeSTA2.5-Audio-Llama-3.1-8B", 8, 30),
    "gemini-2.0-flash": Rules("gemini-2.0-flash", 1, 450, thinks=True),
    "gemini-2.5-flash": Rules("gemini-2.5-flash", 1, 450, thinks=True),
    "gemini-2.5-pro": Rules("gemini-2.5-pro", 1, 450, thinks=True),
    "gemini-3-flash": Rules("gemini-3-flash-preview", 1, 450, thinks=True),
    "gemini-3-pro": Rules("gemini-3-pro-preview", 1, 450, thinks=True),
    "gemini-3.1-pro": Rules("gemini-3.1-pro-preview", 1, 450, thinks=True),
    "gpt-4o-audio-preview": Rules("gpt-4o-audio-preview", 1, 450, thinks=True),
    "gpt-audio": Rules("gpt-audio", 1, 450, thinks=True),
    "gpt-audio-1.5": Rules("gpt-audio-1.5", 1, 450, thinks=True),
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
        if self.rules.part == NEEDS_STREAM:
            return web.Response(text=STREAM, content_type="text/event-stream")
        if self.rules.thinks:
            # Step-Audio-R1's template opens the thoughts itself, so that they begin without a mark.
            opening = "" if self.rules.hub_id.startswith("Step") else "<think>"
            thought = {"message": {"role": "assistant", "content": f"{opening}a bell, not A</think>\n\nB"}}
            return web.json_response({"choices": [thought]})
        top = [{"token": "B", "logprob": -0.1}, {"token": "A", "logprob": -2.4}]
        said = {"content": [{"token": "B", "logprob": -0.1, "top_logprobs": top}]}
        choice = {"message": {"role": "assistant", "content": "B"}, "logprobs": said}
        spoken = {"message": {"role": "assistant", "content": None, "audio": {"data": "UklGRg=="}}}
        return web.json_response({"choices": [spoken, choice]})

    def _wrong(self, body: dict[str, Any]) -> str:
        streams = self.rules.part == NEEDS_STREAM
        if unknown := body.keys() - FIELDS - (STREAM_FIELDS if streams else set()):
            return f"unknown fields {unknown}"
        if streams and (body.get("stream") is not True or body["modalities"] != ["text"]):
            return "This model supports streaming output only."
        if self.rules.thinks and (body["max_tokens"] < 4096 or "logprobs" in body):
            return "no room to think, or probabilities of thoughts"
        if not self.rules.system and any(message["role"] == "system" for message in body["messages"]):
            return "System messages are not allowed beside audio."
        parts = body["messages"][-1]["content"]
        self.texts = [part["text"] for part in parts if part["type"] == "text"]
        self.heard_s = [_seconds(part, self.rules.part) for part in parts if part["type"] != "text"]
        if not 1 <= len(self.heard_s) <= self.rules.max_clips:
            return f"At most {self.rules.max_clips} audio(s) may be provided in one prompt."
        return f"too long: {self.heard_s}" if max(self.heard_s) > self.rules.max_clip_s else ""


STREAM = """data: {"choices": [{"delta": {"role": "assistant", "content": ""}}]}

data: {"choices": [{"delta": {"content": "B"}}]}

data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}

data: {"choices": [], "usage": {"prompt_tokens": 80, "completion_tokens": 1}}

data: [DONE]

"""


def _seconds(part: dict[str, Any], wanted: str) -> float:
    if wanted == "audio_url":
        assert part.keys() == {"type", "audio_url"} and part["audio_url"].keys() == {"url"}
        head, data = part["audio_url"]["url"].split(",")
        assert head == "data:audio/wav;base64"
    else:
        assert part.keys() == {"type", "input_audio"} and part["input_audio"].keys() == {"data", "format"}
        assert part["type"] == "input_audio" and part["input_audio"]["format"] == "wav"
        data = part["input_audio"]["data"]
        if wanted == NEEDS_STREAM:
            assert data.startswith(NEEDS_STREAM)
            data = data.removeprefix(NEEDS_STREAM)
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
async def test_the_server_takes_the_request_and_its_answer_is_read(
    name: str, strict: tuple[StrictServer, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = strict
    server.rules = RULES[name]
    model = read_served_models().get(name)
    if model is not None and model.host is not None:  # at its host it is known by the host's own name
        monkeypatch.setattr("lalm.catalog.HOSTS", {model.host: ModelHost(url, "GEMINI_API_KEY")})
        monkeypatch.setenv("GEMINI_API_KEY", "k")
        read_settings.cache_clear()
    lalm = open_lalm(name, None if model and model.host else url)
    reading = await lalm.choose(build_messages(QUESTION), clip(2), QUESTION.choices)
    read_settings.cache_clear()
    choice = read_choice(reading.reply, QUESTION.choices)
    assert choice and choice.letter == "B"
    assert reading.probabilities == ({} if model and not reads_probabilities(model) else pytest.approx(ODDS, abs=1e-3))
    assert server.heard_s == [2.0]
    assert "B. A bell" in server.texts[-1]


ODDS = {"A": 0.091, "B": 0.909}


def reads_probabilities(model: LalmEntry) -> bool:
    return not model.thinks and not model.form.streams


@pytest.mark.slow
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


def test_a_row_without_rules_here_says_that_it_is_unchecked() -> None:
    unchecked = {name for name, model in read_served_models().items() if model.read_on is None}
    assert read_served_models().keys() - RULES.keys() <= unchecked
    assert {"salmonn-13b", "ltu", "gama-7b", "wavllm-7b"} <= unchecked
    listed = {known.name: known.is_checked for known in list_known() if known.option == "--lalm"}
    assert {name for name, is_checked in listed.items() if not is_checked} == unchecked


def test_no_default_is_under_a_licence_that_forbids_commercial_use() -> None:
    forbidden = {name for name, model in read_served_models().items() if not model.commercial}
    assert {"qwen2.5-omni-3b", "audio-flamingo-3", "audio-flamingo-next", "salmonn-7b"} <= forbidden
    assert DEFAULT_LALM not in forbidden


def test_a_model_without_a_server_says_which_one_it_needs() -> None:
    with pytest.raises(ModelError, match=r"needs --lalm-url URL of a server that has .*: .*inference_gradio\.py"):
        open_lalm("ltu")
    with pytest.raises(ModelError, match="set GEMINI_API_KEY"):
        open_lalm("gemini-3.1-pro")
