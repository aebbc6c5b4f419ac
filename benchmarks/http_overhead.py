"""What does the service add to what its models take? Prints milliseconds and requests a second, and asserts nothing.

    python benchmarks/http_overhead.py
    python benchmarks/http_overhead.py --repeats 5 --requests 300

The models do nothing (`noop_service.py`), so a request's time is all ours. The same application and the same graph
run (a) as `earwitness serve` ships them and (b) in one plain uvicorn process; 1 and 32 questions in flight about 5 s
of real speech. Of the repetitions the quietest counts: the machine is rarely idle. Then: where (a) spends it.
"""

import argparse
import asyncio
import os
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple
from urllib.request import urlopen

from http_load import Load, Target, small_clips, steady
from rich.console import Console
from rich.table import Table
from running_service import NOOP, Service, started

IN_FLIGHT = (1, 32)
WARM_UP = 30  # requests
STAGE = re.compile(r'^earwitness_(stage|request)_seconds_(sum|count)\{[a-z]+="([^"]+)"\} (\S+)$', re.MULTILINE)
ROUTE = "/v1/audio/questions"
EARS = ("caption", "transcribe")


class Sums(NamedTuple):
    """Seconds so far, and how often, by stage; the whole request goes by its route."""

    seconds: Mapping[str, float]
    counts: Mapping[str, float]


class Measured(NamedTuple):
    """One service under one load."""

    load: Load
    stages_ms: Mapping[str, float]
    """Mean of each stage, by the service's own clock."""
    cpu_ms: Mapping[str, float]
    """Processor milliseconds per request, by process."""


def read_sums(exposition: str) -> Sums:
    """Read the stages from what `/metrics` says."""
    read: dict[str, dict[str, float]] = {"sum": {}, "count": {}}
    for _, kind, name, value in STAGE.findall(exposition):
        read[kind][name] = float(value)
    return Sums(read["sum"], read["count"])


def mean_ms(before: Sums, after: Sums) -> dict[str, float]:
    """Return the mean milliseconds of each stage that came between."""
    counts = {name: count - before.counts.get(name, 0.0) for name, count in after.counts.items()}
    return {
        name: 1000 * (after.seconds[name] - before.seconds.get(name, 0.0)) / count
        for name, count in counts.items()
        if count
    }


def parts_ms(measured: Measured) -> dict[str, float]:
    """Return where the mean request spends its time; the parts add up to what its client waits."""
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


def measure(service: Service, in_flight: int, num_requests: int, repeats: int) -> Measured:
    """Ask as often, so many at once, and return the repetition with the lowest median."""
    target = Target(service.url, small_clips(1))
    asyncio.run(steady(target, WARM_UP, min(in_flight, 4)))
    return min((_once(service, target, in_flight, num_requests) for _ in range(repeats)), key=_median)


def _once(service: Service, target: Target, in_flight: int, num_requests: int) -> Measured:
    sums, cpu = _sums(service), service.cpu_s()
    load = asyncio.run(steady(target, num_requests, in_flight))
    used: dict[str, float] = defaultdict(float)
    names, cpu_after = service.processes(), service.cpu_s()
    for pid, seconds in cpu_after.items():
        used[names.get(pid, "")] += 1000 * (seconds - cpu.get(pid, 0.0)) / num_requests
    return Measured(load, mean_ms(sums, _sums(service)), used)


def _median(measured: Measured) -> float:
    return measured.load.quantile_ms(0.5)


def _sums(service: Service) -> Sums:
    with urlopen(f"{service.url}/metrics") as response:  # noqa: S310 - loopback
        return read_sums(response.read().decode())


def main() -> None:
    """Measure both and print them."""
    parser = argparse.ArgumentParser(prog="benchmarks/http_overhead.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--requests", type=int, default=200, help="of each repetition")
    parser.add_argument("--repeats", type=int, default=3)
    asked = parser.parse_args()
    measured: dict[tuple[str, int], Measured] = {}
    for how in ("ray", "plain"):
        with started((*NOOP, how)) as service:
            for in_flight in IN_FLIGHT:
                measured[how, in_flight] = measure(service, in_flight, asked.requests, asked.repeats)
    _print(measured)


def _print(measured: Mapping[tuple[str, int], Measured]) -> None:
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
    console.print(f"Overhead at 1 in flight: {_median(ray) - _median(plain):.1f} ms over plain uvicorn,")
    console.print(
        f"{_median(ray) - models:.1f} ms over the models' own {models:.1f} ms (prompting and reading included)."
    )
    where = Table("mean ms at 1 in flight", "ray", "plain", title="Where a request spends its time")
    parts = {how: parts_ms(measured[how, 1]) for how in ("ray", "plain")}
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


if __name__ == "__main__":
    main()
