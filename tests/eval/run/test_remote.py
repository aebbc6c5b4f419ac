"""Asking a service over HTTP: the gateway here is the real one, behind it a scripted answerer."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from time import sleep
from typing import TypeAlias

import numpy as np
import pytest
import soundfile
import uvicorn

from eval.run import session
from eval.run.remote import RemoteAnswerer
from eval.run.request import RunRequest
from eval.store.records import RunRecord
from eval.store.stored import read_predictions
from services.errors import ModelError
from services.http.access.limits import Limits
from services.http.gateway import create_app
from services.scripted.service import ScriptedService
from services.types import Answer, AudioClip, Choice, Question, Usage

CHOICE = (Choice(letter="A", text="yes"), Choice(letter="B", text=""))
CHOICES = ["ten", "six", "ten", ""]


Durations: TypeAlias = list[float | None]


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Durations, str]]:
    """Yield the durations of the clips that a service is sent, and its address.

    It answers with the last option that has words, and fails on the third question.
    """
    monkeypatch.setattr("eval.run.remote.NUM_RETRIES", 0)
    heard_s: Durations = []

    def answer(question: Question, clip: AudioClip | None) -> Answer:
        heard_s.append(None if clip is None else round(clip.duration_s, 3))
        if "number 2" in question.text:
            raise ModelError("The captioner is gone.")
        choice = next(choice for choice in reversed(question.choices) if choice.text)
        usage = Usage(prompt_tokens=7)
        return Answer(question_id="theirs", reply=choice.letter, choice=choice, path="cascade", usage=usage)

    behind = ScriptedService({"cascade": answer, "text": answer})
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(create_app(behind, Limits()), log_level="error", lifespan="off"))
        thread = Thread(target=server.run, args=([bound],))
        thread.start()
        while not server.started:
            sleep(0.01)
        yield heard_s, url
        server.should_exit = True
        thread.join()


@pytest.fixture
def bench(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", np.zeros(4000), 16_000)
    rows = [
        {
            "id": f"i{number}",
            "audio_id": "a.wav",
            "question": f"Which is number {number}?",
            "choices": CHOICES,
            "answer": "ten",
            "task": "speech",
        }
        for number in range(4)
    ]
    file = tmp_path / "tiny.json"
    file.write_text(json.dumps(rows))
    return file


def test_a_service_gives_the_same_records(service: tuple[Durations, str], bench: Path) -> None:
    heard_s, url = service
    request = RunRequest(path="cascade", bench=str(bench), server=url, concurrency=2, out=bench.parent / "run")
    summary = session.run(request).summary
    # Repeated and empty options arrive as published.
    assert (summary.n, summary.correct_strict, summary.failed, summary.prompt_tokens) == (4, 3, 1, 21)
    assert heard_s == [0.25] * 4
    predictions = {one.id: one for one in read_predictions(bench.parent / "run")}
    assert "answered 503" in str(predictions["i2"].failed)
    assert "The captioner is gone." in str(predictions["i2"].failed)
    answer = predictions["i0"].response
    assert answer is not None
    assert (answer.question_id, answer.choice and answer.choice.letter) == ("i0", "C")
    record = RunRecord.model_validate_json((bench.parent / "run" / "run.json").read_bytes())
    assert (record.options.server, record.options.llm) == (url, None)
    assert [(model.role, model.name) for model in record.models] == [("server", url)]


async def test_the_address_may_end_as_that_of_openais_api_does(service: tuple[Durations, str]) -> None:
    _, url = service
    for address in (url, f"{url}/", f"{url}/v1", f"{url}/v1/"):
        answer = await RemoteAnswerer(address, "text").answer(Question(id="1", text="What?", choices=CHOICE))
        assert answer.reply == "A"


@pytest.mark.slow
def test_a_service_can_be_asked_without_sound(service: tuple[Durations, str], bench: Path) -> None:
    heard_s, url = service
    request = RunRequest(
        path="cascade", bench=str(bench), server=url, concurrency=2, out=bench.parent / "run", controls=("no-audio",)
    )
    controls = session.run(request).summary.controls
    assert heard_s == [0.25] * 4 + [None] * 4
    assert (controls["no-audio"].changed, controls["no-audio"].compared) == (0, 3)
