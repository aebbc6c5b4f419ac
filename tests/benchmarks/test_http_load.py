"""The client against a server that answers in every way that there is."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path

import http_load
import numpy as np
import pytest
import soundfile
from http_load import LoadTarget, make_clips, run_poisson, run_steady
from sizing import draw_gaps_s

ANSWER = json.dumps({"timings_s": {"read": 0.25}}).encode()
BUSY = json.dumps({"error": {"code": "overloaded"}}).encode()


class Server:
    """Answers the clips as they say, each after 50 ms; hangs up on "gone", and after "once"."""

    def __init__(self) -> None:
        self.num_open = self.most_open = self.num_connections = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.num_connections += 1
        while head := await reader.read(100_000):
            self.num_open += 1
            self.most_open = max(self.most_open, self.num_open)
            await asyncio.sleep(0.05)
            self.num_open -= 1
            if b"gone" in head:
                break
            writer.write(self._reply(head))
            if b"once" in head:
                break
        writer.close()

    def _reply(self, request: bytes) -> bytes:
        if b"chunks" in request:
            pieces = (b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (ANSWER[:9], ANSWER[9:], b""))
            return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"".join(pieces)
        status, body = (b"503 Busy", BUSY) if b"busy" in request else (b"200 OK", ANSWER)
        return b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


@pytest.fixture
async def server() -> AsyncIterator[tuple[Server, str]]:
    ours = Server()
    listening = await asyncio.start_server(ours.serve, "127.0.0.1", 0)
    yield ours, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    listening.close()


async def test_each_answer_is_noted_with_its_code(server: tuple[Server, str]) -> None:
    load = await run_steady(LoadTarget(server[1], [b"whole", b"chunks", b"busy", b"gone"]), 16, 3, keep=True)
    assert load.errors == {"503 overloaded": 4, "IncompleteReadError": 4}
    assert [reply.timings_s for reply in load.good] == [{"read": 0.25}] * 8
    assert 50 <= load.quantile_ms(0.5) < 1000 * load.wall_s
    assert load.per_s == pytest.approx(8 / load.wall_s)


async def test_so_many_are_in_flight_and_connections_are_kept(server: tuple[Server, str]) -> None:
    await run_steady(LoadTarget(server[1], [b"whole"]), 20, 5)
    assert (server[0].most_open, server[0].num_connections) == (5, 5)


async def test_time_bounds_a_steady_load(server: tuple[Server, str]) -> None:
    load = await run_steady(LoadTarget(server[1], [b"whole"]), 100_000, 2, most_s=0.3)
    assert 2 <= len(load.good) <= 14


async def test_questions_come_at_their_rate_whatever_comes_back(server: tuple[Server, str]) -> None:
    started = time.perf_counter()
    load = await run_poisson(LoadTarget(server[1], [b"whole", b"busy"]), 60, 100.0)
    due = sum(draw_gaps_s(100.0, 60))
    assert due + 0.05 <= time.perf_counter() - started < due + 60  # generous: other work may have the cores
    assert len(load.good) == load.errors["503 overloaded"] == 30
    assert server[0].most_open > 1


async def test_a_connection_that_the_server_has_closed_is_opened_again(server: tuple[Server, str]) -> None:
    load = await run_poisson(LoadTarget(server[1], [b"once"]), 8, 20.0)
    assert (len(load.good), server[0].num_connections) == (8, 8)


async def test_nobody_there_is_an_error_of_each_question() -> None:
    load = await run_steady(LoadTarget("http://127.0.0.1:1", [b""]), 3, 1)
    assert load.errors == {"ConnectionRefusedError": 3}
    assert np.isnan(load.quantile_ms(0.5))


def test_clips_differ_and_have_their_length(recording: Path) -> None:
    clips = make_clips(3, recording=recording)
    assert len(set(clips)) == 3
    for clip in clips:
        samples, rate = soundfile.read(BytesIO(clip))
        assert (len(samples), rate) == (http_load.CLIP_S * 16_000, 16_000)
