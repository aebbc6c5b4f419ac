"""Chaos test: kills every replica in turn under load, and prints recovery times and the share of valid answers.

    python benchmarks/chaos.py                   1,000 questions, two replicas of each deployment
    python benchmarks/chaos.py --replicas 1      one of each: what is lost is heard by the others

The service runs under Ray with models that do nothing. Each question is about a clip of its own length, and the ASR
says how many samples it was given, so an answer to another's question is known by it. The replicas are killed
(SIGKILL) one after the other, evenly spread over the questions; the next one not before the last one's successor is up.
"""

import argparse
import asyncio
import os
import signal
import time
from collections import Counter
from collections.abc import Sequence
from io import BytesIO
from typing import Literal, NamedTuple, TypeAlias

import httpx
import numpy as np
import soundfile
from rich.console import Console
from rich.table import Table
from running_service import NOOP, RunningService, start_service

from services.types import SAMPLE_RATE, Answer

IN_FLIGHT = 8
SHORTEST = SAMPLE_RATE // 2  # samples of the first clip; each further one has one more
GOAL = 0.995
REPLICA = "ServeReplica:"
POLL_S = 0.05
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
            else:
                done.append(classify_response(response, num_samples))

    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        await asyncio.gather(*(caller(client) for _ in range(IN_FLIGHT)))


def kill_in_turn(service: RunningService, count: int, done: Sequence[Outcome]) -> list[KilledReplica]:
    """Kill each replica that there is now, one after the other, while the questions go on."""
    doomed = _list_replicas(service)
    losses = []
    for number, (pid, deployment) in enumerate(doomed.items(), start=1):
        while len(done) < count * number / (len(doomed) + 1):
            time.sleep(POLL_S)
        losses.append(KilledReplica(deployment, _kill_and_wait(service, pid, deployment)))
    return losses


def _kill_and_wait(service: RunningService, pid: int, deployment: str) -> float:
    before = set(_list_replicas(service))
    os.kill(pid, signal.SIGKILL)
    killed_at = time.monotonic()
    while time.monotonic() - killed_at < TIMEOUT_S:
        time.sleep(POLL_S)
        now = _list_replicas(service)
        if deployment not in [now[one] for one in now.keys() - before]:
            continue
        if httpx.get(f"{service.url}/readyz", timeout=TIMEOUT_S).status_code == httpx.codes.OK:
            return time.monotonic() - killed_at
    raise RuntimeError(f"{deployment} did not come back within {TIMEOUT_S:g} s.")


def _list_replicas(service: RunningService) -> dict[int, str]:
    """Return the living replicas: process id -> deployment."""
    named = {pid: name for pid, name in service.processes().items() if name.startswith(REPLICA)}
    return {pid: name.split(":")[-1].partition("#")[0] for pid, name in named.items()}


def _make_wav(num_samples: int) -> bytes:
    buffer = BytesIO()
    soundfile.write(buffer, 0.3 * np.sin(np.arange(num_samples) / 5), SAMPLE_RATE, format="WAV")
    return buffer.getvalue()


async def ask_and_kill(service: RunningService, count: int) -> tuple[list[Outcome], list[KilledReplica]]:
    """Ask and kill at the same time."""
    done: list[Outcome] = []
    asking = asyncio.create_task(ask_all(service.url, count, done))
    losses = await asyncio.to_thread(kill_in_turn, service, count, done)
    await asking
    return done, losses


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="benchmarks/chaos.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--replicas", type=int, default=2, help="of each deployment")
    asked = parser.parse_args()
    with start_service((*NOOP, "ray"), "--replicas", f"{asked.replicas}", "--fused") as service:
        began = time.monotonic()
        done, losses = asyncio.run(ask_and_kill(service, asked.requests))
        wall_s = time.monotonic() - began
    table = Table("killed", "back after", title=f"{asked.replicas} replicas of each deployment")
    for loss in losses:
        table.add_row(loss.deployment, f"{loss.recovery_s:.1f} s")
    console = Console(width=120)
    console.print(table)
    counted = Counter(done)
    valid = counted["whole"] + counted["degraded"]
    console.print(f"{len(done)} questions in {wall_s:.0f} s, {IN_FLIGHT} in flight: {dict(counted.most_common())}")
    verdict = "reached" if valid >= GOAL * len(done) and not counted["foreign"] else "missed"
    console.print(f"Valid: {valid / len(done):.2%}; goal {GOAL:.1%} and none of another's: {verdict}.")


if __name__ == "__main__":
    main()
