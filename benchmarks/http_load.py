"""HTTP load generator: closed loop (fixed concurrency) and open loop (Poisson arrivals), with latencies and errors.

`run_steady` keeps a number of requests in flight; `run_poisson` sends them at a rate, independent of the replies.
The client writes prepared bytes and reads no more of an answer than it must: it shares the machine with the service.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import soundfile
from numpy.typing import NDArray
from sizing import draw_gaps_s

from services.audio import load as audio
from services.types import SAMPLE_RATE
from services.weights import store as weights

CLIP_S = 5.0  # seconds; 160 kB as 16-bit WAV at 16 kHz
TIMEOUT_S = 120.0  # for one answer
BOUNDARY = "earwitness-load"
PART = f"--{BOUNDARY}\r\nContent-Disposition: form-data"
QUESTION = {"question": "Which words does the speaker begin with?", "model": "cascade"}
CHOICES = ("Call me Ishmael", "It was the best of times", "All happy families are alike", "Once upon a time there was")


class TimedReply(NamedTuple):
    """One answer."""

    seconds: float
    """From the first byte sent to the last received."""
    code: str
    """200, or the status with the code of the error, or what broke the connection."""
    timings_s: dict[str, float]
    """What the service says that its stages took; empty unless it is asked to be kept."""


@dataclass(slots=True)
class LoadResult:
    """Replies and wall time of a load test."""

    wall_s: float = 0.0
    replies: list[TimedReply] = field(default_factory=list)

    @property
    def good(self) -> list[TimedReply]:
        """Successful replies."""
        return [reply for reply in self.replies if reply.code == "200"]

    @property
    def errors(self) -> dict[str, int]:
        """Error code -> count."""
        return dict(Counter(reply.code for reply in self.replies if reply.code != "200"))

    @property
    def per_s(self) -> float:
        """Throughput: answers a second."""
        return len(self.good) / self.wall_s

    def quantile_ms(self, share: float) -> float:
        """Return the milliseconds that this share of the answers stays under; nan where there is none."""
        taken = [reply.seconds for reply in self.good]
        return 1000 * float(np.quantile(taken, share)) if taken else float("nan")


class LoadTarget:
    """A service and prepared requests, one for each clip.

    Args:
        url: of the service.
        clips: as files.
        num_questions: different ones about each clip, so that nothing which is kept of a question serves the next.
    """

    def __init__(self, url: str, clips: Sequence[bytes], *, num_questions: int = 1) -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        self.requests = [self._request(clip, number) for number in range(num_questions) for clip in clips]

    def _request(self, clip: bytes, number: int) -> bytes:
        text = QUESTION["question"] + (f" This is question {number} about them." if number else "")
        fields = [*(QUESTION | {"question": text}).items(), *(("choices", choice) for choice in CHOICES)]
        named = [f'{PART}; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields]
        form = "".join(named) + f'{PART}; name="file"; filename="clip.wav"\r\n\r\n'
        body = form.encode() + clip + f"\r\n--{BOUNDARY}--\r\n".encode()
        head = (
            f"POST /v1/audio/questions HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def make_clips(count: int, *, recording: Path | None = None) -> list[bytes]:
    """Return so many clips of `CLIP_S` seconds as 16-bit WAV at 16 kHz, one channel, no two of them the same.

    They are cut from `recording`; None: the speech of the demo.
    """
    clip = audio.load(recording or weights.ensure_folder("demo-speech") / "two_cities.wav")
    length = round(CLIP_S * SAMPLE_RATE)
    starts = np.linspace(0, max(0, len(clip.samples) - length), count, dtype=int)
    return [_make_wav(clip.samples[start : start + length]) for start in starts]


def _make_wav(samples: NDArray[np.float32]) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, samples, SAMPLE_RATE, format="WAV")
    return buffer.getvalue()


async def run_steady(
    target: LoadTarget, num_requests: int, in_flight: int, *, most_s: float = 600.0, keep: bool = False
) -> LoadResult:
    """Ask `num_requests` times, so many at once, and no longer than `most_s` seconds."""
    load, started = LoadResult(), time.perf_counter()
    numbers = iter(range(num_requests))

    async def client() -> None:
        async with _Connection(target) as connection:
            for number in numbers:
                if time.perf_counter() - started > most_s:
                    return
                load.replies.append(await connection.ask(number, keep=keep))

    await asyncio.gather(*(client() for _ in range(in_flight)))
    load.wall_s = time.perf_counter() - started
    return load


async def run_poisson(target: LoadTarget, num_requests: int, per_s: float, *, seed: int = 0) -> LoadResult:
    """Ask at random moments, `per_s` times a second on average; the moments are those of `sizing.simulate`."""
    gaps = draw_gaps_s(per_s, num_requests, seed)
    load, started, idle = LoadResult(), time.perf_counter(), list[_Connection]()

    async def one(number: int) -> None:
        connection = idle.pop() if idle else _Connection(target)
        load.replies.append(await connection.ask(number, keep=True))
        idle.append(connection)

    tasks = []
    for number, due in enumerate(started + np.cumsum(gaps)):
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    for connection in idle:
        await connection.close()
    load.wall_s = time.perf_counter() - started
    return load


class _Connection:
    """One keep-alive connection, opened again when it broke or the service closed it."""

    def __init__(self, target: LoadTarget) -> None:
        self._target = target
        self._reader: asyncio.StreamReader
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> "_Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def ask(self, number: int, *, keep: bool = False) -> TimedReply:
        """Ask about one of the clips and wait for the answer; `keep` its timings."""
        started = time.perf_counter()
        request = self._target.requests[number % len(self._target.requests)]
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status, body = await self._exchange(request)
        except (OSError, EOFError, TimeoutError) as error:
            await self.close()
            return TimedReply(time.perf_counter() - started, type(error).__name__, {})
        seconds = time.perf_counter() - started
        if status != 200:
            return TimedReply(seconds, f"{status} {_read_error_code(body)}", {})
        return TimedReply(seconds, "200", json.loads(body)["timings_s"] if keep else {})

    async def _exchange(self, request: bytes) -> tuple[int, bytes]:
        if self._writer is None or self._reader.at_eof():  # servers close connections that are idle for 5 s
            await self.close()
            self._reader, self._writer = await asyncio.open_connection(self._target.host, self._target.port)
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        body = await self._body(head)
        if b"\r\nconnection: close\r\n" in head:
            await self.close()
        return int(head.split(b" ", 2)[1]), body

    async def _body(self, head: bytes) -> bytes:
        _, found, rest = head.partition(b"content-length:")
        if found:
            return await self._reader.readexactly(int(rest.split(b"\r\n")[0]))
        pieces = []
        while size := int(await self._reader.readline(), 16):
            pieces.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readline()
        return b"".join(pieces)


def _read_error_code(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return body[:40].decode(errors="replace")
