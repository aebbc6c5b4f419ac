"""What a hostile client costs the others: the longest that `/healthz` took while it was at work, and the memory after.

    python benchmarks/hostile_http.py                # the no-op service in one uvicorn process
    python benchmarks/hostile_http.py --ray          # under Ray, behind its proxy
    python benchmarks/hostile_http.py --url URL      # a service that runs already, without keys; memory is not measured
    python benchmarks/hostile_http.py --only form    # attacks with the word in their name

Each attack is sent as fast as the service takes it. The aim: no stall that is 0.5 s longer than at rest, and memory
back to within 10 % afterwards.
"""

import argparse
import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

from running_service import NOOP, RunningService, start_service

PIECE = b"a" * 65_536
BOUNDARY = b"aaaaaaaaaa"
SLOW_BYTES = 200
EVERY_S, REST_S, SETTLE_S = 0.05, 3.0, 2.0
LONGEST_S = 60.0  # of one attack
MB = 1_000_000


@dataclass(frozen=True)
class Attack:
    """Bytes that a client sends, on so many connections at once."""

    name: str
    chunks: Callable[[], AsyncIterator[bytes]]
    num_connections: int = 1


def head(path: str, kind: str, length: int) -> bytes:
    """Return the head of a POST."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def endless_header() -> AsyncIterator[bytes]:
    """Yield a header of 100 MB."""
    yield b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Long: "
    for _ in range(100 * MB // len(PIECE)):
        yield PIECE


async def many_headers() -> AsyncIterator[bytes]:
    """Yield 100 MB of small headers."""
    yield b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    for _ in range(100):
        yield b"X-Header: many\r\n" * (MB // 16)


async def long_address() -> AsyncIterator[bytes]:
    """Yield an address of 100 MB."""
    yield b"GET /"
    for _ in range(100 * MB // len(PIECE)):
        yield PIECE


def json_body(body: bytes, path: str = "/v1/chat/completions") -> Callable[[], AsyncIterator[bytes]]:
    """Return a sender of JSON."""

    async def send() -> AsyncIterator[bytes]:
        yield head(path, "application/json", len(body))
        for place in range(0, len(body), len(PIECE)):
            yield body[place : place + len(PIECE)]

    return send


def ask(text: str) -> bytes:
    """Return the body of a chat with a text."""
    return json.dumps({"messages": [{"role": "user", "content": text}]}).encode()


def form_body(size: int, begin: bytes, more: bytes = b"", end: bytes = b"") -> Callable[[], AsyncIterator[bytes]]:
    """Return a sender of a form with a beginning, something again and again until it has a size, and an end."""
    repeated = more * (len(PIECE) // len(more)) if more else b""
    num_pieces = size // len(repeated) if repeated else 0

    async def send() -> AsyncIterator[bytes]:
        kind = f"multipart/form-data; boundary={BOUNDARY.decode()}"
        yield head("/v1/audio/questions", kind, len(begin) + num_pieces * len(repeated) + len(end))
        yield begin
        for _ in range(num_pieces):
            yield repeated
        yield end

    return send


async def slow_form() -> AsyncIterator[bytes]:
    """Yield a form byte by byte."""
    yield head("/v1/audio/questions", f"multipart/form-data; boundary={BOUNDARY.decode()}", MB)
    for byte in part('name="question"') + b"a" * SLOW_BYTES:
        yield bytes([byte])
        await asyncio.sleep(EVERY_S)


def part(names: str) -> bytes:
    """Return the head of a part of a form."""
    return b"--%s\r\nContent-Disposition: form-data; %s\r\n\r\n" % (BOUNDARY, names.encode())


def list_form_attacks(size: int) -> list[Attack]:
    """Return attacks by forms of so many bytes."""
    asked = part('name="question"') + b"What is heard?\r\n"
    file, end = asked + part('name="file"; filename="a.wav"'), b"\r\n--%s--\r\n" % BOUNDARY
    almost = b"\r\n--" + BOUNDARY[:-1]  # as if the boundary came
    forms = {
        "of small fields": form_body(size, b"", part('name="choices"') + b"x\r\n"),
        "of empty files": form_body(size, b"", file[len(asked) :] + b"\r\n"),
        "with a part of many headers": form_body(size, b"--%s\r\n" % BOUNDARY, b"X: y\r\n"),
        "with a header without end": form_body(size, part('name="')[:-4], PIECE),
        "with a field without end": form_body(size, part('name="question"'), PIECE),
        "of line breaks before its first part": form_body(size, b"", b"\r\n", file + b"x" + end),
        "whose file is full of almost its boundary": form_body(size, file, almost, end),
        "whose file is full of line breaks": form_body(size, file, b"\r\n", end),
        "that goes on behind its end": form_body(size, file + end, almost),
    }
    attacks = [Attack(f"a form {name}, {size // MB} MB", chunks) for name, chunks in forms.items()]
    eight = Attack("eight forms of almost boundaries at once", forms["whose file is full of almost its boundary"], 8)
    return [*attacks, eight, Attack("forms that come byte by byte, 64 at once", slow_form, num_connections=64)]


def list_attacks(size: int) -> list[Attack]:
    """Return the attacks, with bodies of so many bytes."""
    message = b'{"role":"user","content":""},'
    pieces = b'{"messages":[' + message * (size // len(message)) + message[:-1] + b"]}"
    recording = base64.b64encode(bytes(30 * MB)).decode()
    heard = {"type": "input_audio", "input_audio": {"data": recording}}
    upload = json.dumps({"messages": [{"role": "user", "content": [{"type": "text", "text": "What?"}, heard]}]})
    return [
        Attack("a header of 100 MB", endless_header),
        Attack("100 MB of headers", many_headers),
        Attack("an address of 100 MB", long_address),
        Attack(f"JSON of small pieces, {size // MB} MB", json_body(pieces)),
        Attack(f"JSON nested without end, {size // MB} MB", json_body(b"[" * size)),
        Attack(f"lines that look like options, {size // MB} MB", json_body(ask("(A) x\n\n" * (size // 8)))),
        Attack(f"one word of {size // MB} MB", json_body(ask("a" * size))),
        Attack("eight uploads of 40 MB at once", json_body(upload.encode()), num_connections=8),
        *list_form_attacks(size),
    ]


async def send(url: str, attack: Attack) -> str:
    """Send an attack on one connection; return the status that came back."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        async with asyncio.timeout(LONGEST_S):
            with suppress(ConnectionError):
                async for chunk in attack.chunks():
                    writer.write(chunk)
                    await writer.drain()
            with suppress(ConnectionError):
                return (await reader.readline()).decode("latin-1").strip().removeprefix("HTTP/1.1 ") or "hung up"
    except TimeoutError:
        return f"no answer in {LONGEST_S:g} s"
    finally:
        writer.close()
    return "hung up"


class Watcher:
    """Asks for `/healthz` again and again in a process of its own, which what the attackers send does not hold up."""

    def __init__(self, url: str) -> None:
        self._channel, theirs = Pipe()
        self._process = Process(target=_watch, args=(url, theirs), daemon=True)
        self._process.start()

    def read_longest_s(self) -> float:
        """Return the longest that it took since the last call, what is waited for now included."""
        self._channel.send(None)
        longest_s: float = self._channel.recv()
        return longest_s

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def _watch(url: str, channel: Connection) -> None:
    parts = urlsplit(url)
    longest_s = 0.0
    while True:
        started = time.perf_counter()
        connection = HTTPConnection(parts.netloc)
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        connection.close()
        longest_s = max(longest_s, time.perf_counter() - started)
        if channel.poll(EVERY_S):
            channel.recv()
            channel.send(longest_s)
            longest_s = 0.0


async def measure(watcher: Watcher, work: Awaitable[list[str]]) -> tuple[float, list[str]]:
    """Return the longest stall in seconds while some work is done, and what came of the work."""
    watcher.read_longest_s()
    done = await work
    await asyncio.sleep(SETTLE_S)
    return watcher.read_longest_s(), done


async def attack_all(url: str, size: int, service: RunningService | None, only: str = "") -> None:
    """Print a line for each attack whose name contains `only`."""

    async def rest() -> list[str]:
        await asyncio.sleep(REST_S)
        return []

    with closing(Watcher(url)) as watcher:
        at_rest_s, _ = await measure(watcher, rest())
        print(f"at rest: longest /healthz {at_rest_s:.2f} s{_format(_sum_memory(service))}")
        for attack in (one for one in list_attacks(size) if only in one.name):
            attackers = [send(url, attack) for _ in range(attack.num_connections)]
            stall_s, said = await measure(watcher, asyncio.gather(*attackers))
            memory = _format(_sum_memory(service))
            print(
                f"{attack.name}: longest /healthz {stall_s:.2f} s; {', '.join(sorted(set(said)))}{memory}", flush=True
            )


def _sum_memory(service: RunningService | None) -> float | None:
    return sum(one.own for one in service.memory_mb().values()) if service else None


def _format(memory_mb: float | None) -> str:
    return "" if memory_mb is None else f"; {memory_mb:.0f} MB"


def main() -> None:
    """Attack a service that is started, or one that runs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ray", action="store_true")
    parser.add_argument("--url")
    parser.add_argument("--megabytes", type=int, default=50, help="of each JSON body")
    parser.add_argument("--only", default="", help="attacks with this in their name")
    given = parser.parse_args()
    if given.url:
        asyncio.run(attack_all(given.url, given.megabytes * MB, None, given.only))
        return
    with start_service((*NOOP, "ray" if given.ray else "plain")) as service:
        asyncio.run(attack_all(service.url, given.megabytes * MB, service, given.only))


if __name__ == "__main__":
    main()
