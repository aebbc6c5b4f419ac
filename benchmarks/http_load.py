"""Ask a service over HTTP as often as it is told, and note how long each answer took and what came of it.

`steady` keeps a number of requests in flight; `poisson` sends them at a rate, whatever comes back, as the world does.
The client writes prepared bytes and reads no more of an answer than it must: it shares the machine with the service.
"""

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import numpy as np
import soundfile

from services.audio import decode
from services.types import SAMPLE_RATE

CLIP_S = 5.0  # seconds; 160 kB as 16-bit WAV at 16 kHz
TIMEOUT_S = 120.0  # for one answer
BOUNDARY = "earwitness-load"
QUESTION = {"question": "Which words does the speaker begin with?", "model": "cascade"}
CHOICES = ("Call me Ishmael", "It was the best of times", "All happy families are alike", "Once upon a time there was")


class Reply(NamedTuple):
    """One answer."""

    seconds: float
    """From the first byte sent to the last received."""
    code: str
    """200, or the status with the code of the error, or what broke the connection."""
    timings_s: dict[str, float]
    """What the service says that its stages took; empty unless it is asked to be kept."""


@dataclass(slots=True)
class Load:
    """What came of it."""

    wall_s: float = 0.0
    replies: list[Reply] = field(default_factory=list)

    @property
    def good(self) -> list[Reply]:
        """The answers."""
        return [reply for reply in self.replies if reply.code == "200"]

    @property
    def errors(self) -> dict[str, int]:
        """Code -> how often."""
        return dict(Counter(reply.code for reply in self.replies if reply.code != "200"))

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return len(self.good) / self.wall_s

    def quantile_ms(self, share: float) -> float:
        """Return the milliseconds that this share of the answers stays under; nan where there is none."""
        taken = [reply.seconds for reply in self.good]
        return 1000 * float(np.quantile(taken, share)) if taken else float("nan")


class Target:
    """A route of a service and the request to send there."""

    def __init__(self, url: str, path: str, body: bytes = b"", content_type: str = "") -> None:
        parts = urlsplit(url)
        self.host, self.port = parts.hostname or "127.0.0.1", parts.port or 80
        head = f"{'POST' if body else 'GET'} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
        if body:
            head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        self.request = head.encode() + b"\r\n" + body


def question(url: str, clip: bytes) -> Target:
    """Return a question about a clip, as a form."""
    fields = [*QUESTION.items(), *(("choices", choice) for choice in CHOICES)]
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n' for name, text in fields
    ]
    parts.append(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="clip.wav"\r\n\r\n')
    body = "".join(parts).encode() + clip + f"\r\n--{BOUNDARY}--\r\n".encode()
    return Target(url, "/v1/audio/questions", body, f"multipart/form-data; boundary={BOUNDARY}")


def small_clip(recording: Path) -> bytes:
    """Return the first `CLIP_S` seconds of a recording as 16-bit WAV at 16 kHz, one channel."""
    clip = decode(recording.read_bytes(), name=recording.name)
    buffer = BytesIO()
    soundfile.write(buffer, clip.samples[: round(CLIP_S * SAMPLE_RATE)], SAMPLE_RATE, format="WAV")
    return buffer.getvalue()


async def steady(
    target: Target, num_requests: int, in_flight: int, *, most_s: float = 600.0, keep: bool = False
) -> Load:
    """Ask `num_requests` times, so many at once, and no longer than `most_s` seconds."""
    load, started = Load(), time.perf_counter()
    numbers = iter(range(num_requests))

    async def client() -> None:
        async with _Connection(target) as connection:
            for _ in numbers:
                if time.perf_counter() - started > most_s:
                    return
                load.replies.append(await connection.ask(keep=keep))

    await asyncio.gather(*(client() for _ in range(in_flight)))
    load.wall_s = time.perf_counter() - started
    return load


async def poisson(target: Target, num_requests: int, per_s: float, *, seed: int = 0) -> Load:
    """Ask at random moments, `per_s` times a second on average."""
    gaps = np.random.default_rng(seed).exponential(1 / per_s, num_requests)
    load, started, idle = Load(), time.perf_counter(), list[_Connection]()

    async def one() -> None:
        connection = idle.pop() if idle else _Connection(target)
        load.replies.append(await connection.ask(keep=True))
        idle.append(connection)

    tasks = []
    for due in started + np.cumsum(gaps):
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    for connection in idle:
        await connection.close()
    load.wall_s = time.perf_counter() - started
    return load


class _Connection:
    """One keep-alive connection, opened again when it broke."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> "_Connection":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End it."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def ask(self, *, keep: bool = False) -> Reply:
        """Send the request and wait for the answer; `keep` its timings."""
        started = time.perf_counter()
        try:
            async with asyncio.timeout(TIMEOUT_S):
                status, body = await self._exchange()
        except (OSError, EOFError, TimeoutError) as error:
            await self.close()
            return Reply(time.perf_counter() - started, type(error).__name__, {})
        seconds = time.perf_counter() - started
        if status != 200:
            return Reply(seconds, f"{status} {_code(body)}", {})
        return Reply(seconds, "200", json.loads(body)["timings_s"] if keep else {})

    async def _exchange(self) -> tuple[int, bytes]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._target.host, self._target.port)
        self._writer.write(self._target.request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        return status, await self._body(head.lower())

    async def _body(self, head: bytes) -> bytes:
        _, found, rest = head.partition(b"content-length:")
        if found:
            return await self._reader.readexactly(int(rest.split(b"\r\n")[0]))
        pieces = []
        while size := int(await self._reader.readline(), 16):
            pieces.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readline()
        return b"".join(pieces)


def _code(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return body[:40].decode(errors="replace")


def best(loads: Sequence[Load], key: Callable[[Load], float]) -> Load:
    """Return the one from the quietest moment of the machine: the smallest by `key`."""
    return min(loads, key=key)
