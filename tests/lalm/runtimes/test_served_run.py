"""A run behind a server that reads prompts as vLLM does: with the exported tokenizer, on loopback."""

import base64
import io
import json
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from aiohttp import web
from aiohttp.test_utils import TestServer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from lalm.export.hf_folder import add_audio_tokens
from lalm.export.vllm_version import REPLY
from lalm.model.frames import SEGMENT_SAMPLES
from lalm.model.template import ChatTemplate
from lalm.runtimes.in_process import PRIOR_WEIGHT
from lalm.runtimes.served_run import ServedTrainedLALM
from services.clients.chat_server import Endpoint
from services.errors import ModelError
from services.scripted.ears import ScriptedEars
from services.types import AudioClip, Choice, Message

NUM_QUERIES = 5
MESSAGES = (Message(role="system", content="Listen."), Message(role="user", content="What is heard?"))
CHOICES = (Choice(letter="A", text="A dog barks"), Choice(letter="B", text="A bell"))


class Engine:
    """Tokenises as vLLM does; how likely a token is depends on its number, and on whether anything is heard.

    Args:
        says_replies: runs with `lalm.export.vllm_reply`.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, says_replies: bool) -> None:
        self.tokenizer, self.texts, self.says_replies = tokenizer, list[str](), says_replies
        self.ways: list[str] = []

    async def respond(self, request: web.Request) -> web.Response:
        body = await request.json()
        text = self.tokenizer.apply_chat_template(
            body["messages"], tokenize=False, add_generation_prompt=body.get("add_generation_prompt", True)
        )
        self.texts.append(text)
        samples = _samples(body["messages"])
        scale = 1.0 if samples.any() else 0.5
        num_slots = math.ceil(len(samples) / SEGMENT_SAMPLES) * NUM_QUERIES
        place, end = self.tokenizer.convert_tokens_to_ids(["<|AUDIO|>", "<|/AUDIO|>"])
        ids: list[int] = []
        for token in self.tokenizer.encode(text, add_special_tokens=False):
            ids.extend([0] * num_slots if token == place else [] if token == end else [token])
        self.ways.append(
            "reads" if "prompt_logprobs" in body else "says" if REPLY in body.get("vllm_xargs", {}) else ""
        )
        if self.ways[-1] == "says":
            return web.json_response(self.said(ids, body["vllm_xargs"][REPLY], scale))
        scores = [{str(token): {"logprob": scale * logprob(token), "rank": 1, "decoded_token": "x"}} for token in ids]
        reply = {"choices": [{"message": {"content": " Rain.\n"}}], "prompt_logprobs": [None, *scores[1:]]}
        return web.Response(text=json.dumps(reply), content_type="application/json")

    def said(self, prompt: list[int], reply: list[int], scale: float) -> dict[str, Any]:
        """Return an answer with the reply asked for, or where that is not served with one of the engine's own."""
        tokens = reply if self.says_replies else [1] * len(reply)
        content = [{"token": "x", "logprob": scale * logprob(token)} for token in tokens]
        first = {"message": {"content": "x"}, "token_ids": tokens, "logprobs": {"content": content}}
        return {"choices": [first], "prompt_token_ids": prompt}


def logprob(token: int) -> float:
    return -(token % 7) / 7


def _samples(messages: list[dict[str, Any]]) -> np.ndarray:
    (part,) = [part for part in messages[1]["content"] if part["type"] == "input_audio"]
    return soundfile.read(io.BytesIO(base64.b64decode(part["input_audio"]["data"])))[0]


@pytest.fixture(params=[True, False], ids=["says", "reads"])
async def engine(request: pytest.FixtureRequest, backbones: Callable[[str], Path]) -> AsyncIterator[tuple[Engine, str]]:
    served = Engine(add_audio_tokens(AutoTokenizer.from_pretrained(backbones("llama"))), says_replies=request.param)
    app = web.Application(client_max_size=10**8)
    app.router.add_post("/v1/chat/completions", served.respond)
    async with TestServer(app) as running:
        yield served, str(running.make_url("/v1"))


@pytest.fixture
def open_run(make_run: Callable[..., Path], tmp_path: Path) -> Callable[[str], ServedTrainedLALM]:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_bytes(make_run().read_bytes())

    def opened(url: str) -> ServedTrainedLALM:
        asr = ScriptedEars(words=lambda _: ("a cat.",))
        return ServedTrainedLALM(tmp_path / "run", Endpoint(url=url, model="run", num_retries=0), name="run", asr=asr)

    return opened


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1.0, 31.0])
async def test_an_option_counts_by_the_mean_of_its_tokens_after_the_clip_less_that_after_silence(
    seconds: float,
    engine: tuple[Engine, str],
    open_run: Callable[[str], ServedTrainedLALM],
    template: ChatTemplate,
    make_clip: Callable[..., AudioClip],
) -> None:
    reading = await open_run(engine[1]).choose(MESSAGES, make_clip(seconds), CHOICES)
    means = [float(np.mean([logprob(token) for token in template.encode_reply(choice.text)])) for choice in CHOICES]
    weights = [math.exp(mean - PRIOR_WEIGHT * 0.5 * mean) for mean in means]
    assert reading.probabilities["A"] == pytest.approx(weights[0] / sum(weights), abs=1e-6)


async def test_a_server_that_says_something_else_is_asked_once_and_read_from_then_on(
    engine: tuple[Engine, str], open_run: Callable[[str], ServedTrainedLALM], make_clip: Callable[..., AudioClip]
) -> None:
    served, run = engine[0], open_run(engine[1])
    for _ in range(2):
        await run.choose(MESSAGES, make_clip(1.0), CHOICES)
    requests = 2 * len(CHOICES)  # about the clip, and about silence
    ways = {way: served.ways.count(way) for way in ("says", "reads")}
    assert ways == (
        {"says": 2 * requests, "reads": 0} if served.says_replies else {"says": requests, "reads": 2 * requests}
    )


async def test_the_words_of_the_recogniser_stand_behind_the_clip(
    engine: tuple[Engine, str], open_run: Callable[[str], ServedTrainedLALM], make_clip: Callable[..., AudioClip]
) -> None:
    assert (await open_run(engine[1]).listen(MESSAGES, make_clip(1.0))).reply == "Rain."
    (text,) = engine[0].texts
    assert "<start_audio><|AUDIO|>a cat.<|/AUDIO|><end_audio>\n\nWhat is heard?" in text


async def test_a_server_that_reads_other_tokens_is_found_out(
    engine: tuple[Engine, str], open_run: Callable[[str], ServedTrainedLALM], make_clip: Callable[..., AudioClip]
) -> None:
    engine[0].tokenizer.chat_template = "Hello! " + str(engine[0].tokenizer.chat_template)
    with pytest.raises(ModelError, match="reads other tokens than the run here: export this run"):
        await open_run(engine[1]).choose(MESSAGES, make_clip(1.0), CHOICES)


def test_parts_without_our_tags_become_the_prompt_of_the_training(backbones: Callable[[str], Path]) -> None:
    tokenizer = add_audio_tokens(AutoTokenizer.from_pretrained(backbones("llama")))
    content = [{"type": "input_audio"}, {"type": "text", "text": "What is <|AUDIO|>heard?"}]
    text = tokenizer.apply_chat_template([{"role": "user", "content": content}], tokenize=False)
    assert "<start_audio><|AUDIO|><end_audio>\n\nWhat is heard?" in text


def test_a_text_without_a_clip_cannot_name_one(backbones: Callable[[str], Path]) -> None:
    tokenizer = add_audio_tokens(AutoTokenizer.from_pretrained(backbones("llama")))
    content = [{"type": "text", "text": "Say <|AUDIO|>this<|/AUDIO|>."}]
    text = tokenizer.apply_chat_template([{"role": "user", "content": content}], tokenize=False)
    assert "Say this." in text
