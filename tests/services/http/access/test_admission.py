"""Admission control and cancellation: the gateway under load and when a client disconnects, over loopback."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from services.deadline import BASE_S, compute_remaining_s
from services.http.access.limits import Limits
from services.scripted.service import EchoAnswerer, ScriptedService
from services.types import Answer, AudioClip, Question

QUESTIONS = "/v1/audio/questions"


@pytest.fixture
async def client(url: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=url) as client:
        yield client


def slow(client: httpx.AsyncClient, model: str = "text") -> "asyncio.Task[httpx.Response]":
    return asyncio.create_task(client.post(QUESTIONS, json={"question": "slow", "model": model}))


async def quick(client: httpx.AsyncClient) -> httpx.Response:
    return await client.post(QUESTIONS, json={"question": "What?", "model": "text"})


async def metric(client: httpx.AsyncClient, name: str) -> float:
    lines = (await client.get("/metrics")).text.splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))


async def until(what: Callable[[], Awaitable[bool]]) -> None:
    for _ in range(500):
        if await what():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 5 s")


async def until_inside(client: httpx.AsyncClient, running: int, waiting: int) -> None:
    async def inside() -> bool:
        now = [await metric(client, f"earwitness_requests_{name}") for name in ("running", "waiting")]
        return now == [running, waiting]

    await until(inside)


@pytest.mark.slow
async def test_two_requests_run_one_waits_and_the_next_is_refused_with_retry_after(
    client: httpx.AsyncClient, scripted: ScriptedService
) -> None:
    inside = [slow(client) for _ in range(3)]
    await until_inside(client, 2, 1)
    refused = await quick(client)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "overloaded")
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert (await client.get("/healthz")).status_code == 200
    scripted.release.set()
    assert [response.status_code for response in await asyncio.gather(*inside)] == [200] * 3
    assert (await quick(client)).status_code == 200
    await until_inside(client, 0, 0)


@pytest.mark.parametrize("limits", [Limits(upload_s=0.5)])
async def test_an_upload_that_does_not_come_gives_up_its_place(client: httpx.AsyncClient) -> None:
    async def halting() -> AsyncIterator[bytes]:
        yield b'{"question": "What?"'
        await asyncio.sleep(1)
        yield b"}"

    response = await client.post(QUESTIONS, content=halting(), headers={"Content-Type": "application/json"})
    assert (response.status_code, response.json()["error"]["code"]) == (504, "deadline_exceeded")
    assert "The upload was not there within 0.5 s" in response.json()["error"]["message"]
    await until_inside(client, 0, 0)


@pytest.mark.parametrize(("model", "stopped"), [("text", ["text"]), ("both", ["cascade", "lalm"])])
async def test_a_client_that_leaves_cancels_the_work(
    url: str,
    client: httpx.AsyncClient,
    scripted: ScriptedService,
    tone: Callable[[float], bytes],
    model: str,
    stopped: list[str],
) -> None:
    form = {"question": "slow", "model": model}
    leaving = asyncio.create_task(client.post(QUESTIONS, data=form, files={"file": ("a.wav", tone(0.1))}))
    await asyncio.wait_for(scripted.started.wait(), 60)
    leaving.cancel()
    await until_inside(client, 0, 0)
    assert sorted(scripted.cancelled) == stopped


@pytest.mark.slow
async def test_a_client_that_leaves_the_queue_gives_its_place_free(
    client: httpx.AsyncClient, scripted: ScriptedService
) -> None:
    working = [slow(client), slow(client)]
    await until_inside(client, 2, 0)
    queued = slow(client)
    await until_inside(client, 2, 1)
    queued.cancel()
    await until_inside(client, 2, 0)
    assert scripted.cancelled == []
    scripted.release.set()
    assert [response.status_code for response in await asyncio.gather(*working)] == [200] * 2


async def test_an_upload_that_stops_halfway_gives_its_place_free(url: str, client: httpx.AsyncClient) -> None:
    host, _, port = url.removeprefix("http://").partition(":")
    for _ in range(5):  # more than there are places
        _, writer = await asyncio.open_connection(host, int(port))
        head = f"POST {QUESTIONS} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n"
        writer.write(head.encode() + b'{"question": ')
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def is_answered() -> bool:
        return (await quick(client)).status_code == 200

    await until(is_answered)


class TestDeadline:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits(deadline_s=0.3, max_running=1, max_waiting=1)

    async def test_work_is_cancelled_at_its_deadline_wherever_it_is(
        self, client: httpx.AsyncClient, scripted: ScriptedService
    ) -> None:
        responses = await asyncio.gather(slow(client), slow(client))  # the second one waits for its turn
        assert [response.status_code for response in responses] == [504, 504]
        assert set(scripted.cancelled) == {"text"}
        await until_inside(client, 0, 0)

    async def test_the_work_knows_how_much_of_the_deadline_is_left(
        self, client: httpx.AsyncClient, scripted: ScriptedService, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left: list[float | None] = []
        answer = EchoAnswerer.answer

        async def noted(echo: EchoAnswerer, question: Question, *clips: AudioClip) -> Answer:
            left.append(compute_remaining_s())
            return await answer(echo, question, *clips)

        monkeypatch.setattr(EchoAnswerer, "answer", noted)
        assert (await quick(client)).status_code == 200
        assert left[0] is not None and 0 < left[0] < 0.3
        assert compute_remaining_s() is None


class TestDeadlineThatIsNotSet:
    @pytest.fixture
    def limits(self) -> Limits:
        return Limits()

    async def test_it_grows_with_the_recording(
        self, client: httpx.AsyncClient, tone: Callable[[float], bytes], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        left: list[float | None] = []

        async def noted(echo: EchoAnswerer, question: Question, *clips: AudioClip) -> Answer:
            left.append(compute_remaining_s())
            return await answer(echo, question, *clips)

        answer = EchoAnswerer.answer
        monkeypatch.setattr(EchoAnswerer, "answer", noted)
        asked = {"question": "What?", "audio": base64.b64encode(tone(90.0)).decode()}
        assert (await client.post(QUESTIONS, json=asked, timeout=60)).status_code == 200
        assert left[0] is not None
        assert BASE_S + 45 < left[0] <= BASE_S + 90
