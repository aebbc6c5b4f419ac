"""A server that fails in every way there is never loses the run. The server here is real, on loopback."""

import asyncio
import json
import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from time import monotonic

import pytest

from eval.run import session
from eval.run.request import RunRequest
from eval.store.stored import read_predictions

FAULTS = ("fine", "400", "429", "500", "garbage", "half", "nothing", "null", "empty", "parts")
REPLY = json.dumps({"choices": [{"message": {"role": "assistant", "content": "A"}}]}).encode()
PARTS = json.dumps({"choices": [{"message": {"content": [{"type": "text", "text": "A"}, {"type": "other"}]}}]}).encode()


def http(status: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    head = "\r\n".join([f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers])
    return head.encode() + b"\r\n\r\n" + body


class Faulty:
    """Fails the first time it is asked about each fault, and always about 400; then it answers."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.times: dict[str, list[float]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
        question = (await reader.readexactly(length)).decode()
        fault = next(fault for fault in FAULTS if f"fault {fault}?" in question)
        self.asked[fault] += 1
        self.times.setdefault(fault, []).append(monotonic())
        writer.write(self.reply(fault))
        writer.close()

    def reply(self, fault: str) -> bytes:
        if fault == "400":
            return http("400 Bad Request", b'{"error": "the prompt is too long"}')
        if self.asked[fault] > 1 or fault == "fine":
            return http("200 OK", REPLY)
        if fault == "parts":
            return http("200 OK", PARTS)
        return {
            "429": http("429 Too Many Requests", b"", "Retry-After: 1.5"),
            "500": http("500 Internal Server Error", b"oops"),
            "garbage": http("200 OK", b"<html>a proxy's page</html>"),
            "half": http("200 OK", REPLY[:20], length=len(REPLY)),
            "nothing": b"",
            "null": http("200 OK", b'{"choices": null}'),
            "empty": http("200 OK", b'{"choices": []}'),
        }[fault]


@pytest.fixture
def faulty() -> Iterator[tuple[Faulty, str]]:
    behind = Faulty()
    loop = asyncio.new_event_loop()
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        loop.run_until_complete(asyncio.start_server(behind.serve, sock=bound))
        thread = Thread(target=loop.run_forever)
        thread.start()
        yield behind, f"http://127.0.0.1:{bound.getsockname()[1]}/v1"
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
    loop.close()


def test_no_fault_of_a_server_loses_an_item(faulty: tuple[Faulty, str], tmp_path: Path) -> None:
    behind, url = faulty
    row = {"audio_id": "a.wav", "choices": ["dog", "cat"], "answer": "dog", "task": "sound"}
    bench = tmp_path / "bench.json"
    bench.write_text(json.dumps([row | {"id": fault, "question": f"Which fault {fault}?"} for fault in FAULTS]))
    request = RunRequest(path="text", bench=str(bench), llm="toy", llm_url=url, concurrency=10, out=tmp_path / "run")
    summary = session.run(request).summary
    assert (summary.n, summary.correct_strict, summary.failed, summary.unread) == (10, 9, 1, 0)
    assert {fault: behind.asked[fault] for fault in FAULTS} == {
        fault: 1 if fault in {"fine", "parts"} else 2 for fault in FAULTS
    }  # a 400 that names no parameter may be about log-probabilities, so it is asked once more without
    first, second = behind.times["429"]
    assert second - first >= 1.5
    failed = [one for one in read_predictions(tmp_path / "run") if one.failed]
    assert [one.id for one in failed] == ["400"]
    assert "answered 400 Bad Request" in str(failed[0].failed)
    assert "the prompt is too long" in str(failed[0].failed)
