"""Soak test for memory leaks: prints the slope of each process's memory under steady load, and a verdict.

    python benchmarks/soak.py                            20 minutes, models that do nothing
    python benchmarks/soak.py --minutes 5 --per-s 5
    python benchmarks/soak.py --models embedded --per-s 0.3

Questions come at random moments, as many a second as told. Memory is the proportional set size (PSS), which counts a
shared page once over all processes; the slope is that of the part which no file stands behind, because the pages of
libraries are shared with whatever else runs. The first quarter, in which caches fill, does not count.
"""

import argparse
import asyncio
import math
import os
import time
from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
from http_load import LoadResult, LoadTarget, make_clips, run_poisson
from load_sweep import COMMANDS, NUM_CLIPS
from rich.console import Console
from rich.table import Table
from running_service import ProcessMemory, RunningService, start_service

SAMPLE_S = 5.0
WARM_UP = 0.25  # share of the samples
SURE = 3.0  # standard errors from which a slope is significant
GROWTH = 0.02  # share of its size by which a process may move while it is watched and still be flat
GROWTH_MB = 2.0  # the same for small ones


Verdict: TypeAlias = Literal["flat", "rising", "growing"]
"""Rising: surely, but by so little in this time that it may be a cache which fills; a longer soak tells."""


class MemorySample(NamedTuple):
    """Memory at one moment."""

    at_s: float
    memory_mb: Mapping[int, ProcessMemory]

    @property
    def pss_mb(self) -> float:
        """Of all processes."""
        return sum(memory.pss for memory in self.memory_mb.values())


class MemoryTrend(NamedTuple):
    """Linear trend of the memory of one process, or of all."""

    name: str
    first_mb: float
    last_mb: float
    mb_per_hour: float
    error: float
    """Standard error of the slope, in the same unit."""
    verdict: Verdict


def fit_trend(name: str, at_s: Sequence[float], sizes_mb: Sequence[float]) -> MemoryTrend:
    """Fit a line by least squares to what comes after the warm-up.

    A process grows if the line rises beyond chance and by more than `GROWTH` of its size while it was watched; between
    a tenth of that and that, it is rising.
    """
    start = int(len(at_s) * WARM_UP)
    hours, sizes = np.asarray(at_s[start:]) / 3600, np.asarray(sizes_mb[start:])
    assert len(hours) > 2, f"{len(at_s)} samples"
    slope, offset = np.polyfit(hours, sizes, 1)
    residual = sizes - (slope * hours + offset)
    error = math.sqrt(float(residual @ residual) / (len(hours) - 2) / float(((hours - hours.mean()) ** 2).sum()))
    rise = slope * (hours[-1] - hours[0])
    verdict: Verdict = "flat"
    if slope > SURE * error and rise > max(GROWTH_MB, GROWTH * sizes.mean()) / 10:
        verdict = "growing" if rise > max(GROWTH_MB, GROWTH * sizes.mean()) else "rising"
    return MemoryTrend(name, float(sizes[0]), float(sizes[-1]), float(slope), error, verdict)


def fit_trends(samples: Sequence[MemorySample], names: Mapping[int, str]) -> list[MemoryTrend]:
    """Return the trend of each process that lived all along, the largest first, and of all together."""
    lasting = set(names).intersection(*(sample.memory_mb for sample in samples))
    at_s = [sample.at_s for sample in samples]
    each = [fit_trend(names[pid], at_s, [sample.memory_mb[pid].own for sample in samples]) for pid in lasting]
    together = fit_trend("all", at_s, [sum(sample.memory_mb[pid].own for pid in lasting) for sample in samples])
    return [*sorted(each, key=lambda one: -one.last_mb), together]


async def run_soak(service: RunningService, per_s: float, minutes: float) -> tuple[LoadResult, list[MemorySample]]:
    """Ask for so many minutes, and sample the memory meanwhile."""
    target, started_at, samples = LoadTarget(service.url, make_clips(NUM_CLIPS)), time.monotonic(), list[MemorySample]()
    asking = asyncio.create_task(run_poisson(target, max(1, round(minutes * 60 * per_s)), per_s))
    while not asking.done():
        samples.append(MemorySample(time.monotonic() - started_at, await asyncio.to_thread(service.memory_mb)))
        await asyncio.wait({asking}, timeout=SAMPLE_S)
    return asking.result(), samples


def main() -> None:
    """Soak and print."""
    parser = argparse.ArgumentParser(prog="benchmarks/soak.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", choices=tuple(COMMANDS), default="noop")
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--per-s", type=float, default=5.0, help="questions a second")
    asked = parser.parse_args()
    with start_service(COMMANDS[asked.models]) as service:
        load, samples = asyncio.run(run_soak(service, asked.per_s, asked.minutes))
        names = service.processes()
    table = Table("process", "MB after warm-up", "MB at the end", "MB an hour", "verdict", title="Memory without files")
    found = fit_trends(samples, names)
    for one in found:
        slope = f"{one.mb_per_hour:+.1f} ± {one.error:.1f}"
        table.add_row(one.name, f"{one.first_mb:.1f}", f"{one.last_mb:.1f}", slope, one.verdict)
    console = Console(width=120)
    console.print(table)
    console.print(f"{load.wall_s / 60:.1f} minutes, {len(load.good)} answers, errors: {load.errors or 'none'}.")
    console.print(f"p50 {load.quantile_ms(0.5):.0f} ms, p95 {load.quantile_ms(0.95):.0f} ms, {len(samples)} samples.")
    console.print(f"PSS of all: {samples[0].pss_mb:.0f} MB at first, {samples[-1].pss_mb:.0f} MB at the end.")
    worst = max((one.verdict for one in found), key=get_args(Verdict).index)
    console.print(f"Verdict: {worst}.")
    console.print(f"{os.cpu_count()} cores; load average {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")


if __name__ == "__main__":
    main()
