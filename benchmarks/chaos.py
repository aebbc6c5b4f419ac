"""Chaos test: kills every replica in turn under load, and prints recovery times and the share of valid answers.

    python benchmarks/chaos.py                   1,000 questions, two replicas of each deployment
    python benchmarks/chaos.py --replicas 1      one of each: what is lost is heard by the others
    python benchmarks/chaos.py --replicas 1 --all      kills HAProxy, its manager, Ray's proxy and controller too
    python benchmarks/chaos.py --replicas 1 --all --rounds 3 --requests 15000      a soak, each killed thrice

The service runs under Ray with models that do nothing. Each question is about a clip of its own length, and the ASR
says how many samples it was given, so an answer to another's question is known by it. The replicas are killed
(SIGKILL) one after the other, evenly spread over the questions; the next one not before the last one's successor is up.
Processes and open files are counted at first and, after a rest, at last, which ones have become more is told, and once
the service is stopped, what it has left.
"""

import argparse
import asyncio
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias

import httpx
import numpy as np
import soundfile
from noop_service import FUSIBLE
from rich.console import Console
from rich.table import Table
from running_service import NOOP, RunningService, start_service

from services.types import SAMPLE_RATE, Answer

IN_FLIGHT = 8
WARM_UP = 50  # questions before anything is counted
REST_S = 20.0  # before what is open is counted: connections of clients have ended by then
CHANGING = re.compile(r"[0-9a-f]{6,}|\d+")  # in the names of processes and files
SHORTEST = SAMPLE_RATE // 2  # samples of the first clip; each further one has one more
GOAL = 0.995
REPLICA = "ServeReplica:"
REST_OF_RAY = ("haproxy", "Manager", "ProxyActor", "ServeController")
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at
POLL_S = 0.05
REFUSED_S = 0.5  # that a client waits after a connection was refused or broke
TIMEOUT_S = 60.0  # for one answer, and for a replica to come back

Outcome: TypeAlias = Literal["whole", "degraded", "foreign"] | str
"""Outcome of a question: whole, degraded, an answer about a foreign clip, or the code of the error."""


class KilledReplica(NamedTuple):
    """A replica that was killed."""

    deployment: str
    recovery_s: float
    """Seconds until a new process has replaced it and `/readyz` succeeds."""


def classify_response(response: httpx.Response, num_samples: int) -> Outcome:
    """Judge the answer to the question about the clip of so many samples."""
    if response.status_code != httpx.codes.OK:
        try:
            return f"{response.status_code} {response.json()['error']['code']}"
        except (ValueError, KeyError, TypeError):
            return f"{response.status_code} {response.text[:40]!r}"
    answer = Answer.model_validate_json(response.content)
    heard = {statement.text for statement in answer.evidence if statement.kind == "transcript"}
    if heard - {f"{num_samples} samples."} or answer.choice is None:
        return "foreign"
    if answer.degraded:
        return "degraded"
    return "whole" if heard else "foreign"


async def ask_all(url: str, count: int, done: list[Outcome]) -> None:
    """Ask `count` questions, `IN_FLIGHT` at a time; `done` grows with each."""
    numbers = iter(range(count))

    async def caller(client: httpx.AsyncClient) -> None:
        for number in numbers:
            num_samples = SHORTEST + number
            files = {"file": ("clip.wav", _make_wav(num_samples))}
            fields = {"question": "Which?", "choices": ["Rain", "Snow"], "model": "cascade"}
            try:
                response = await client.post(f"{url}/v1/audio/questions", files=files, data=fields)
            except httpx.HTTPError as error:
                done.append(type(error).__name__)
                await asyncio.sleep(REFUSED_S)
            else:
                done.append(classify_response(response, num_samples))

    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        await asyncio.gather(*(caller(client) for _ in range(IN_FLIGHT)))


def kill_in_turn(
    service: RunningService, count: int, done: Sequence[Outcome], *, kill_all: bool = False, num_rounds: int = 1
) -> list[KilledReplica]:
    """Kill each replica that there is now, one after the other, while the questions go on; `kill_all`: the rest too."""
    doomed = list(_list_doomed(service, kill_all=kill_all).items()) * num_rounds
    losses = []
    for number, (pid, deployment) in enumerate(doomed, start=1):
        while len(done) < count * number / (len(doomed) + 1):
            time.sleep(POLL_S)
        living = _list_doomed(service, kill_all=kill_all)  # HAProxy goes with its manager
        chosen = pid if pid in living else next(now for now, name in living.items() if name == deployment)
        losses.append(KilledReplica(deployment, _kill_and_wait(service, chosen, deployment, kill_all=kill_all)))
    return losses


def _kill_and_wait(service: RunningService, pid: int, deployment: str, *, kill_all: bool) -> float:
    before = set(_list_doomed(service, kill_all=kill_all))
    os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    while time.monotonic() - killed_at < TIMEOUT_S:
        time.sleep(POLL_S)
        now = _list_doomed(service, kill_all=kill_all)
        if deployment not in [now[one] for one in now.keys() - before]:
            continue
        with suppress(httpx.TransportError):
            if httpx.get(f"{service.url}/readyz", timeout=TIMEOUT_S).status_code == httpx.codes.OK:
                return time.monotonic() - killed_at
    raise RuntimeError(f"{deployment} did not come back within {TIMEOUT_S:g} s.")


def _list_doomed(service: RunningService, *, kill_all: bool) -> dict[int, str]:
    """Return the living replicas, and with `kill_all` the rest of Ray: process id -> deployment."""
    named = service.processes()
    doomed = {pid: _name_process(name) for pid, name in named.items() if name.startswith(REPLICA)}
    if kill_all:
        known = ((pid, _name_process(name)) for pid, name in named.items())
        doomed |= {pid: name for pid, name in known if name in REST_OF_RAY}
    return doomed


def _name_process(name: str) -> str:
    """Return the name of a process without what it does at the moment."""
    if name.startswith(REPLICA):
        return name.rsplit(":", maxsplit=1)[-1].partition("#")[0]
    return name.partition(".")[0]


def count_open(service: RunningService) -> Counter[str]:
    """Count the open files and sockets of the service: process and file -> how many."""
    counted = Counter[str]()
    for pid, name in service.processes().items():
        with suppress(FileNotFoundError, ProcessLookupError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(FileNotFoundError):
                    target = descriptor.readlink().name
                    counted[f"{_name_process(name)}: {CHANGING.sub('N', target)}"] += 1
    return counted


def _make_wav(num_samples: int) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, 0.3 * np.sin(np.arange(num_samples) / 5), SAMPLE_RATE, format="WAV")
    return buffer.getvalue()


async def ask_and_kill(
    service: RunningService, count: int, *, kill_all: bool = False, num_rounds: int = 1
) -> tuple[list[Outcome], list[KilledReplica]]:
    """Ask and kill at the same time."""
    done: list[Outcome] = []
    asking = asyncio.create_task(ask_all(service.url, count, done))
    kill = partial(kill_in_turn, kill_all=kill_all, num_rounds=num_rounds)
    losses = await asyncio.to_thread(kill, service, count, done)
    await asking
    return done, losses


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="benchmarks/chaos.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--replicas", type=int, default=2, help="of each deployment")
    parser.add_argument("--all", action="store_true", help="kill HAProxy and the rest of Ray too")
    parser.add_argument("--rounds", type=int, default=1, help="of killing each once")
    parser.add_argument("--fused", nargs="*", choices=FUSIBLE, default=(), help="in the replica of the agent")
    asked = parser.parse_args()
    memory_before = set(SHARED_MEMORY.iterdir())
    with start_service((*NOOP, "ray"), "--replicas", f"{asked.replicas}", "--fused", *asked.fused) as service:
        asyncio.run(ask_all(service.url, WARM_UP, []))
        time.sleep(REST_S)
        began, first, open_at_first = time.monotonic(), service.processes(), count_open(service)
        killing = ask_and_kill(service, asked.requests, kill_all=asked.all, num_rounds=asked.rounds)
        done, losses = asyncio.run(killing)
        wall_s = time.monotonic() - began
        time.sleep(REST_S)
        last, open_at_last = service.processes(), count_open(service)
        service.stop()
        left = sorted(last.items() & service.processes().items())
        files = [path.name for path in service.folder.iterdir() if path.name != "stderr"]
    table = Table("killed", "back after", title=f"{asked.replicas} replicas of each deployment")
    for loss in losses:
        table.add_row(loss.deployment, f"{loss.recovery_s:.1f} s")
    console = Console(width=120)
    console.print(table)
    counted = Counter(done)
    valid = counted["whole"] + counted["degraded"]
    console.print(f"{len(done)} questions in {wall_s:.0f} s, {IN_FLIGHT} in flight: {dict(counted.most_common())}")
    console.print(f"Processes: {len(first)} at first, {len(last)} at last.")
    console.print(f"Open files: {open_at_first.total()} at first, {open_at_last.total()} at last; more of:")
    for file, number in (open_at_last - open_at_first).most_common():
        console.print(f"  {number:+} {file}")
    memory = sorted(path.name for path in set(SHARED_MEMORY.iterdir()) - memory_before)
    console.print(f"Left once it was stopped: processes {left}, shared memory {memory}, temporary files {files}.")
    verdict = "reached" if valid >= GOAL * len(done) and not counted["foreign"] else "missed"
    console.print(f"Valid: {valid / len(done):.2%}; goal {GOAL:.1%} and none of another's: {verdict}.")


if __name__ == "__main__":
    main()
