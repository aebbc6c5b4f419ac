"""A captioner behind a real server on loopback."""

import base64
from io import BytesIO

import numpy as np
import pytest
import soundfile

from services.captioners.served import ServedCaptioner
from services.catalog import CAPTIONERS
from services.clients.chat_server import Endpoint
from services.errors import ModelError
from services.scripted.server import make_completion, run_scripted_server
from services.types import SAMPLE_RATE, AudioClip, Focus


async def test_the_clip_travels_whole_and_the_reply_is_one_statement_about_all_of_it() -> None:
    clip = AudioClip(np.linspace(-0.5, 0.5, 2 * SAMPLE_RATE, dtype=np.float32))
    async with run_scripted_server() as server:
        server.responses = [make_completion(" A dog barks twice. ")]
        captioner = ServedCaptioner(Endpoint(url=server.url, model="omni"), name="omni")
        (statement,) = await captioner.caption(
            clip, Focus(topic="count", question="How often does the dog bark?", options=("2; 3", "4"))
        )
    audio, text = server.requests[0]["messages"][0]["content"]
    sent, rate = soundfile.read(BytesIO(base64.b64decode(audio["input_audio"]["data"])), dtype="float32")
    assert rate == SAMPLE_RATE
    assert np.allclose(sent, clip.samples, atol=1e-4)
    assert "count: How often does the dog bark?; options: 2; 3; 4" in text["text"]
    assert (statement.text, statement.start_s, statement.end_s) == ("A dog barks twice.", 0.0, 2.0)


def test_without_a_server_the_message_says_how_to_start_one() -> None:
    with pytest.raises(ModelError, match=r"vllm serve Qwen/Qwen2\.5-Omni-7B.*EARWITNESS_CAPTIONER_URL"):
        CAPTIONERS["qwen2.5-omni"]()
