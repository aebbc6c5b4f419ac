"""Does the simulation of `sizing.py` say how long questions wait in the running service? Prints both, asserts nothing.

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
from http_load import Load, Target, poisson, small_clips, steady
from rich.console import Console
from rich.table import Table
from running_service import NOOP, started
from sizing import STAGES, Seconds, simulate

PACE_MS = {"caption": 120, "transcribe": 80, "read": 150}  # long beside what our own code takes on a busy machine
PER_S = (2.0, 4.0, 5.5)  # the LLM is busy for 30 %, 60 % and 83 % of the time
NUM_ALONE = 40


class Waits(NamedTuple):
    """Seconds that questions waited for their turns."""

    p50: float
    p95: float
    mean: float


def waits(latencies_s: Sequence[float], alone_s: float) -> Waits:
    """Return what answers took beyond what one takes alone."""
    beyond = np.maximum(np.asarray(latencies_s) - alone_s, 0.0)
    return Waits(float(np.quantile(beyond, 0.5)), float(np.quantile(beyond, 0.95)), float(beyond.mean()))


def stage_seconds(load: Load) -> Seconds:
    """Return what the stages took, one value per answer."""
    return {stage: [reply.timings_s[stage] for reply in load.good] for stage in STAGES}


def alone_s(seconds: Seconds) -> float:
    """Return the seconds of a question that waits for nobody, in the simulation."""
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
    with started((*NOOP, "ray"), *pace) as service:
        target = Target(service.url, small_clips(1))
        asyncio.run(steady(target, 10, 1))
        alone = asyncio.run(steady(target, NUM_ALONE, 1, keep=True))
        seconds = stage_seconds(alone)
        for seed, per_s in enumerate(asked.per_s or PER_S):
            ones = dict.fromkeys(STAGES, 1)
            predicted = simulate(seconds, ones, per_s, num_requests=asked.requests, seed=seed)
            load = asyncio.run(poisson(target, asked.requests, per_s, seed=seed))
            simulated = waits(predicted.latencies_s, alone_s(seconds))
            table.add_row(*_row(per_s, predicted.busy["read"], simulated, load, alone))
    console = Console(width=120)
    console.print(table)
    means = ", ".join(f"{stage} {1000 * float(np.mean(seconds[stage])):.0f} ms" for stage in STAGES)
    console.print(f"One by one: {means}; an answer takes {alone.quantile_ms(0.5):.0f} ms.")
    console.print(f"{os.cpu_count()} cores; load average {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")


def _row(per_s: float, busy: float, predicted: Waits, load: Load, alone: Load) -> tuple[str, ...]:
    counted = load.good[len(load.replies) // 10 :]  # as in the simulation
    measured = waits([reply.seconds for reply in counted], alone.quantile_ms(0.5) / 1000)
    pairs = ((predicted.p50, measured.p50), (predicted.p95, measured.p95))
    shown = (f"{1000 * seconds:.0f}" for pair in pairs for seconds in pair)
    return (f"{per_s:g}", f"{busy:.0%}", *shown, f"{load.errors or '–'}")


if __name__ == "__main__":
    main()
