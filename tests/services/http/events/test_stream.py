"""Answers as server-sent events: the stages of the work while it runs, and what becomes of errors."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.errors import ModelError
from services.http.events.stages import StageAdvancedEvent, StageStartedEvent
from services.progress import report_stage
from services.scripted.service import ScriptedService
from services.types import Answer, AudioClip, Question

ASKED = {"question": "What?", "model": "text", "stream": True}


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url) as client:
        yield client


@pytest.fixture
def scripted() -> ScriptedService:
    async def answer(question: Question, _: AudioClip | None) -> Answer:
        """Answer in two stages, the second of which waits to be released; fail in it where that is asked for."""
        with report_stage("transcribe", total=2.0, unit="seconds of audio") as running:
            running.advance_to(1.5)
        with report_stage("read"):
            try:
                await service.release.wait()
            except asyncio.CancelledError:
                service.cancelled.append("text")
                raise
            if question.text == "fail":
                raise ModelError("The server answered 500.")
            if question.text == "bug":
                raise ZeroDivisionError("a secret")
        return Answer(question_id="", reply="Rain", choice=None, path="text", probabilities={})

    service = ScriptedService({"text": answer})
    return service


def read_event(line: str) -> Any:  # noqa: ANN401 - JSON
    return json.loads(line.removeprefix("data: "))


async def all_events(client: httpx.AsyncClient, **changed: object) -> list[Any]:
    reply = await client.post("/v1/audio/questions", json={**ASKED, **changed})
    assert reply.headers["content-type"].startswith("text/event-stream")
    return [read_event(line) for line in reply.text.splitlines() if line]


async def test_stages_are_told_while_the_work_runs_and_the_answer_comes_last(
    client: httpx.AsyncClient, scripted: ScriptedService
) -> None:
    async with client.stream("POST", "/v1/audio/questions", json=ASKED) as reply:
        lines = (line async for line in reply.aiter_lines() if line)
        told = [read_event(await anext(lines)) for _ in range(4)]
        assert [(one["type"], one["stage"]) for one in told] == [
            ("stage.started", 1),
            ("stage.advanced", 1),
            ("stage.ended", 1),
            ("stage.started", 2),
        ]
        assert StageStartedEvent.model_validate(told[0]).name == "transcribe"
        advanced = StageAdvancedEvent.model_validate(told[1])
        assert (advanced.done, advanced.total, advanced.unit) == (1.5, 2.0, "seconds of audio")
        assert told[2]["outcome"] == "done"
        scripted.release.set()
        rest = [read_event(line) async for line in lines]
    assert [one["type"] for one in rest] == ["stage.ended", "answer"]
    assert Answer.model_validate(rest[1]["answer"]).reply == "Rain"


async def test_an_error_after_the_first_event_is_the_last_one_without_details_of_a_bug(
    client: httpx.AsyncClient, scripted: ScriptedService
) -> None:
    scripted.release.set()
    *_, ended, failed = await all_events(client, question="fail")
    assert (ended["type"], ended["outcome"]) == ("stage.ended", "failed")
    assert (failed["type"], failed["error"]["code"]) == ("error", "model_unavailable")
    *_, failed = await all_events(client, question="bug")
    assert failed["error"]["code"] == "internal_error"
    assert "secret" not in json.dumps(failed)


@pytest.mark.parametrize(
    ("changed", "status", "code"),
    [
        ({"model": "magic"}, 404, "unknown_name"),
        ({"question": ""}, 400, "bad_request"),
        ({"stream": 1}, 400, "bad_request"),
    ],
)
async def test_an_error_before_any_event_has_its_status(
    client: httpx.AsyncClient, changed: dict[str, object], status: int, code: str
) -> None:
    refused = await client.post("/v1/audio/questions", json={**ASKED, **changed})
    assert (refused.status_code, refused.json()["error"]["code"]) == (status, code)


async def test_a_form_says_stream_in_words(client: httpx.AsyncClient, scripted: ScriptedService) -> None:
    scripted.release.set()
    form = {"question": (None, "What?"), "model": (None, "text"), "stream": (None, "true")}
    told = await client.post("/v1/audio/questions", files=form)
    assert told.text.count("stage.started") == 2
    refused = await client.post("/v1/audio/questions", files=form | {"stream": (None, "yes")})
    assert refused.json()["error"]["param"] == "stream"


async def test_who_leaves_a_stream_ends_its_work(client: httpx.AsyncClient, scripted: ScriptedService) -> None:
    async with client.stream("POST", "/v1/audio/questions", json=ASKED) as reply:
        await anext(reply.aiter_lines())
    for _ in range(500):
        if scripted.cancelled:
            break
        await asyncio.sleep(0.01)
    assert scripted.cancelled == ["text"]
    running = next(
        line
        for line in (await client.get("/metrics")).text.splitlines()
        if line.startswith("earwitness_requests_running ")
    )
    assert running.endswith(" 0.0")
