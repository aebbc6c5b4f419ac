"""What counts as a valid answer, and the no-op service under Ray that it is counted on."""

import asyncio
import os
import signal
import time
from io import BytesIO

import httpx
import numpy as np
import pytest
import soundfile
from chaos import ask_all, classify_response
from running_service import NOOP, RunningService, start_service

from services.types import Answer, Choice, Evidence


def answer(*heard: int, degraded: tuple[str, ...] = ()) -> httpx.Response:
    said = [Evidence(kind="transcript", source="noop", revision="1", text=f"{number} samples.") for number in heard]
    given = Answer(
        question_id="",
        reply="A",
        choice=Choice(letter="A", text="Rain"),
        path="cascade",
        evidence=tuple(said),
        degraded=degraded,
    )
    return httpx.Response(200, content=given.model_dump_json())


def refusal(status: int, content: str) -> httpx.Response:
    return httpx.Response(status, content=content)


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(8000), "whole"),
        (answer(8001), "foreign"),
        (answer(8001, degraded=("captioner",)), "foreign"),
        (answer(), "foreign"),
        (answer(degraded=("asr",)), "degraded"),
        (answer(8000, degraded=("captioner",)), "degraded"),
        (refusal(503, '{"error": {"code": "overloaded"}}'), "503 overloaded"),
        (refusal(500, "Internal Server Error"), "500 'Internal Server Error'"),
    ],
)
def test_an_answer_counts_if_it_is_about_the_clip_that_was_sent(response: httpx.Response, expected: str) -> None:
    assert classify_response(response, 8000) == expected


def ask_about(url: str, num_samples: int) -> httpx.Response:
    buffer = BytesIO()
    soundfile.write(buffer, np.zeros(num_samples, np.float32), 16_000, format="FLAC")
    fields = {"question": "Which?", "choices": ["Rain", "Snow"], "model": "cascade"}
    files = {"file": ("clip.flac", buffer.getvalue())}
    return httpx.post(f"{url}/v1/audio/questions", files=files, data=fields, timeout=60)


def kill_raylet_and_wait(service: RunningService) -> float:
    """Kill what all of Ray needs, and return the seconds until nothing is left of the service."""
    (raylet,) = (pid for pid, name in service.processes().items() if name == "raylet")
    started = time.monotonic()
    os.kill(raylet, signal.SIGKILL)
    while service.processes() and time.monotonic() - started < 60:
        time.sleep(0.1)
    return time.monotonic() - started


@pytest.mark.alone
@pytest.mark.timeout(180)
def test_the_service_under_ray_answers_each_question_about_its_own_clip() -> None:
    done: list[str] = []
    with start_service((*NOOP, "ray"), "--fused", "captioner") as service:
        asyncio.run(ask_all(service.url, 24, done))
        long = ask_about(service.url, 90 * 16_000)  # more than one message of Ray's holds
        wanted = {"ServeReplica:earwitness:agent", "ServeReplica:earwitness:asr-whisper-base"}
        names: set[str] = set()
        for _ in range(100):  # what a replica is doing this moment may stand in its name
            names |= set(service.processes().values())
            if wanted <= names:
                break
            time.sleep(0.1)
        seconds = kill_raylet_and_wait(service)
        left = service.processes()
    assert done == ["whole"] * 24
    assert classify_response(long, 90 * 16_000) == "whole"
    assert wanted <= names and not names & {"dashboard.py", "monitor.py"}
    assert seconds < 30 and left == {}
