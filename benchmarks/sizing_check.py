"""Validation of the simulation in `sizing.py`: prints simulated and measured waiting times side by side.

    python benchmarks/sizing_check.py
    python benchmarks/sizing_check.py --per-s 2 --per-s 4 --requests 200

The service runs under Ray with models that take a fixed time, one clip at a time (`noop_service.py`). First, questions
one by one: the seconds of each stage, as docs/clusters.md has them measured. From those, the simulation says what
questions at random moments will wait; then they are asked, at the same moments. A wait is what an answer takes beyond
what it takes alone.
"""

import argparse
import asyncio
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from http_load import LoadResult, LoadTarget, make_clips, run_poisson, run_steady
from rich.console import Console
from rich.table import Table
from running_service import NOOP, start_service
from sizing import STAGES, Seconds, simulate

PACE_MS = {"caption": 120, "transcribe": 80, "read": 150}  # long beside what our own code takes on a busy machine
PER_S = (2.0, 4.0, 5.5)  # the LLM is busy for 30 %, 60 % and 83 % of the time
NUM_ALONE = 40


class WaitTimes(NamedTuple):
    """Waiting times in queues, in seconds."""

    p50: float
    p95: float
    mean: float


def measure_waits(latencies_s: Sequence[float], alone_s: float) -> WaitTimes:
    """Return what answers took beyond what one takes alone."""
    beyond = np.maximum(np.asarray(latencies_s) - alone_s, 0.0)
    return WaitTimes(float(np.quantile(beyond, 0.5)), float(np.quantile(beyond, 0.95)), float(beyond.mean()))


def collect_stage_seconds(load: LoadResult) -> Seconds:
    """Return what the stages took, one value per answer."""
    return {stage: [reply.timings_s[stage] for reply in load.good] for stage in STAGES}


def simulate_alone_s(seconds: Seconds) -> float:
    """Return the simulated latency of a question without queueing, in seconds."""
    ears = np.maximum(seconds["caption"], seconds["transcribe"])
    return float(np.median(ears + np.asarray(seconds["read"])))


def main() -> None:
    """Measure, simulate, ask, print."""
    parser = argparse.ArgumentParser(prog="benchmarks/sizing_check.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--per-s", type=float, action="append", help="questions a second; may be given more than once")
    parser.add_argument("--requests", type=int, default=300, help="for each rate")
    asked = parser.parse_args()
    pace = [text for stage, latency_ms in PACE_MS.items() for text in (f"--{stage}", f"{latency_ms}")]
    table = Table(
        "questions/s", "LLM busy", "wait p50 ms, simulated", "measured", "p95, simulated", "measured", "errors"
    )
    with start_service((*NOOP, "ray"), *pace, "--fused") as service:
        target = LoadTarget(service.url, make_clips(1))
        asyncio.run(run_steady(target, 10, 1))
        alone = asyncio.run(run_steady(target, NUM_ALONE, 1, keep=True))
        seconds = collect_stage_seconds(alone)
        for seed, per_s in enumerate(asked.per_s or PER_S):
            ones = dict.fromkeys(STAGES, 1)
            predicted = simulate(seconds, ones, per_s, num_requests=asked.requests, seed=seed)
            load = asyncio.run(run_poisson(target, asked.requests, per_s, seed=seed))
            simulated = measure_waits(predicted.latencies_s, simulate_alone_s(seconds))
            table.add_row(*_format_row(per_s, predicted.busy["read"], simulated, load, alone))
    console = Console(width=120)
    console.print(table)
    means = ", ".join(f"{stage} {1000 * float(np.mean(seconds[stage])):.0f} ms" for stage in STAGES)
    console.print(f"One by one: {means}; an answer takes {alone.quantile_ms(0.5):.0f} ms.")
    console.print(f"{os.cpu_count()} cores; load average {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")


def _format_row(
    per_s: float, busy: float, predicted: WaitTimes, load: LoadResult, alone: LoadResult
) -> tuple[str, ...]:
    counted = load.good[len(load.replies) // 10 :]  # as in the simulation
    measured = measure_waits([reply.seconds for reply in counted], alone.quantile_ms(0.5) / 1000)
    pairs = ((predicted.p50, measured.p50), (predicted.p95, measured.p95))
    shown = (f"{1000 * seconds:.0f}" for pair in pairs for seconds in pair)
    return (f"{per_s:g}", f"{busy:.0%}", *shown, f"{load.errors or '–'}")


if __name__ == "__main__":
    main()
