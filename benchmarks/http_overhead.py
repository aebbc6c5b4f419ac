"""HTTP overhead of the service with models that do nothing: prints latency by stage and requests a second.

    python benchmarks/http_overhead.py
    python benchmarks/http_overhead.py --repeats 5 --requests 300

The models do nothing (`noop_service.py`), so a request's time is all ours. The same application and the same graph
run (a) under Ray with every model fused with the agent, as models so small may be, (b) under Ray with the LLM in a
replica of its own, as `deploy/serve.local.yaml` has it, and (c) in one plain uvicorn process; 1 and 32 questions in
flight about 5 s of real speech. Of the repetitions the quietest counts: the machine is rarely idle. Then: where (a)
spends it. The last line sums up (a) and (c), the line before it (b): milliseconds at 1 in flight, and requests a second
and processor milliseconds a request at 32.
"""

import argparse
import asyncio
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from urllib.request import urlopen

from http_load import LoadResult, LoadTarget, make_clips, run_steady
from noop_service import AS_SHIPPED, FUSIBLE
from rich.console import Console
from rich.table import Table
from running_service import NOOP, RunningService, start_service

IN_FLIGHT = (1, 32)
WARM_UP = 30  # requests
NUM_QUESTIONS = 300  # different ones, more than any cache of the agent keeps
STAGE = re.compile(r'^earwitness_(stage|request)_seconds_(sum|count)\{[a-z]+="([^"]+)"\} (\S+)$', re.MULTILINE)
ROUTE = "/v1/audio/questions"
COMMANDS = {"ray": ("ray", "--fused", *FUSIBLE), "own": ("ray", "--fused", *AS_SHIPPED), "plain": ("plain",)}
EARS = ("caption", "transcribe")


class StageSums(NamedTuple):
    """Seconds so far, and how often, by stage; the whole request goes by its route."""

    seconds: Mapping[str, float]
    counts: Mapping[str, float]


class LoadMeasurement(NamedTuple):
    """Measurement of one service under one load."""

    load: LoadResult
    stages_ms: Mapping[str, float]
    """Mean of each stage, by the service's own clock."""
    cpu_ms: Mapping[str, float]
    """Processor milliseconds per request, by process."""


def read_sums(exposition: str) -> StageSums:
    """Read the stages from what `/metrics` says."""
    read: dict[str, dict[str, float]] = {"sum": {}, "count": {}}
    for _, kind, name, value in STAGE.findall(exposition):
        read[kind][name] = float(value)
    return StageSums(read["sum"], read["count"])


def compute_mean_ms(before: StageSums, after: StageSums) -> dict[str, float]:
    """Return the mean milliseconds of each stage that came between."""
    counts = {name: count - before.counts.get(name, 0.0) for name, count in after.counts.items()}
    return {
        name: 1000 * (after.seconds[name] - before.seconds.get(name, 0.0)) / count
        for name, count in counts.items()
        if count
    }


def split_latency_ms(measured: LoadMeasurement) -> dict[str, float]:
    """Split the mean latency of a request, as seen by its client, into stages."""
    stages = measured.stages_ms
    whole = 1000 * sum(reply.seconds for reply in measured.load.good) / len(measured.load.good)
    parts = {
        "connection and proxy": whole - stages[ROUTE],
        "upload read": stages["upload"],
        "waiting for a turn": stages["wait"],
        "decoding, confined": stages["decode"],
        "captioner and ASR, at once": max(stages[ear] for ear in EARS),
        "LLM": stages["read"],
    }
    return parts | {"graph, JSON, log": whole - sum(parts.values())}


def measure(service: RunningService, in_flight: int, num_requests: int, repeats: int) -> LoadMeasurement:
    """Ask as often, so many at once, and return the repetition with the lowest median."""
    target = LoadTarget(service.url, make_clips(1), num_questions=NUM_QUESTIONS)
    asyncio.run(run_steady(target, WARM_UP, min(in_flight, 4)))
    return min((_measure_once(service, target, in_flight, num_requests) for _ in range(repeats)), key=_median_ms)


def _measure_once(service: RunningService, target: LoadTarget, in_flight: int, num_requests: int) -> LoadMeasurement:
    sums, cpu = _fetch_sums(service), service.cpu_s()
    load = asyncio.run(run_steady(target, num_requests, in_flight))
    used: dict[str, float] = defaultdict(float)
    names, cpu_after = service.processes(), service.cpu_s()
    for pid, seconds in cpu_after.items():
        used[names.get(pid, "")] += 1000 * (seconds - cpu.get(pid, 0.0)) / num_requests
    return LoadMeasurement(load, compute_mean_ms(sums, _fetch_sums(service)), used)


def _median_ms(measured: LoadMeasurement) -> float:
    return measured.load.quantile_ms(0.5)


def _fetch_sums(service: RunningService) -> StageSums:
    with urlopen(f"{service.url}/metrics") as response:  # noqa: S310 - loopback
        return read_sums(response.read().decode())


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(prog="benchmarks/http_overhead.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=200, help="of each repetition")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    measured: dict[tuple[str, int], LoadMeasurement] = {}
    for how, command in COMMANDS.items():
        with start_service((*NOOP, command[0]), *command[1:]) as service:
            for in_flight in IN_FLIGHT:
                measured[how, in_flight] = measure(service, in_flight, asked.requests, asked.repeats)
    _print_tables(measured)


def _print_tables(measured: Mapping[tuple[str, int], LoadMeasurement]) -> None:
    console = Console(width=120)
    table = Table(
        "service", "in flight", "p50 ms", "p95", "p99", "requests/s", "errors", title="Models that do nothing"
    )
    for (how, in_flight), one in measured.items():
        quantiles = (f"{one.load.quantile_ms(share):.1f}" for share in (0.5, 0.95, 0.99))
        table.add_row(how, f"{in_flight}", *quantiles, f"{one.load.per_s:.0f}", f"{one.load.errors or '–'}")
    console.print(table)
    ray, plain = measured["ray", 1], measured["plain", 1]
    models = max(plain.stages_ms[ear] for ear in EARS) + plain.stages_ms["read"]
    console.print(f"Overhead at 1 in flight: {_median_ms(ray) - _median_ms(plain):.1f} ms over plain uvicorn,")
    console.print(
        f"{_median_ms(ray) - models:.1f} ms over the models' own {models:.1f} ms (prompting and reading included)."
    )
    where = Table("mean ms at 1 in flight", "ray", "plain", title="Where a request spends its time")
    parts = {how: split_latency_ms(measured[how, 1]) for how in ("ray", "plain")}
    for part, taken in parts["ray"].items():
        where.add_row(part, f"{taken:.1f}", f"{parts['plain'][part]:.1f}")
    console.print(where)
    cpu = Table("processor ms per request under Ray, 32 in flight", "ms", title="Which process takes the processor")
    for name, used in sorted(measured["ray", 32].cpu_ms.items(), key=lambda pair: -pair[1]):
        if used > 0.1:
            cpu.add_row(name, f"{used:.1f}")
    cpu.add_row("all", f"{sum(measured['ray', 32].cpu_ms.values()):.1f}")
    console.print(cpu)
    console.print(f"{os.cpu_count()} cores; load average {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")
    print(f"LLM in a replica of its own: {_summarise('own', measured['own', 1], measured['own', 32])}")
    print(" ".join(_summarise(how, measured[how, 1], measured[how, 32]) for how in ("ray", "plain")))


def _summarise(how: str, one: LoadMeasurement, many: LoadMeasurement) -> str:
    """Return p50 at one in flight, and requests a second and processor a request at many."""
    cpu_ms = sum(many.cpu_ms.values())
    return f"{how} p50_ms={_median_ms(one):.1f} rps_32={many.load.per_s:.0f} cpu_ms={cpu_ms:.1f}"


if __name__ == "__main__":
    main()
