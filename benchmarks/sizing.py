"""Capacity planning: replicas and GPUs for a load, by a queueing simulation with measured seconds per stage.

    python benchmarks/sizing.py --qps 5 --seconds runs/cascade/predictions.jsonl --p95 10
    python benchmarks/sizing.py --qps 5 --stage caption=0.8 --stage transcribe=0.5 --stage read=1.2 --p95 10

Requests come as a Poisson stream. The captioner and the ASR hear the clip at once, each behind one queue for its
replicas, one clip at a time per replica; when both are done, the LLM reads, behind its own queue. The smallest number
of replicas whose simulated p95 holds is printed, stage by stage. docs/clusters.md says how to use it.
`benchmarks/sizing_check.py` compares the simulation with the running service.
"""

import argparse
import json
import math
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from heapq import heapreplace
from pathlib import Path
from typing import NamedTuple, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

EARS = ("caption", "transcribe")
READ = "read"
STAGES = (*EARS, READ)
BUSIEST = 0.95  # share of its time that a stage may be busy: beyond it, queues grow for hours
MAX_REPLICAS = 1000

Seconds: TypeAlias = Mapping[str, Sequence[float]]
"""Stage -> seconds that it was measured to take, one per request."""
Replicas: TypeAlias = Mapping[str, int]
Times: TypeAlias = NDArray[np.float64]
"""Seconds, one per request."""


class SimulatedLoad(NamedTuple):
    """Latencies and utilisation of a simulated service."""

    latencies_s: list[float]
    busy: dict[str, float]
    """Stage -> share of the time that its replicas worked."""

    def quantile(self, share: float) -> float:
        """Return the latency in seconds that this share of the requests stays under."""
        return float(np.quantile(self.latencies_s, share))


def draw_gaps_s(qps: float, num_requests: int, seed: int = 0) -> list[float]:
    """Return the seconds before each request of a Poisson stream."""
    gaps: list[float] = np.random.default_rng(seed).exponential(1 / qps, num_requests).tolist()
    return gaps


def simulate(
    seconds: Seconds, replicas: Replicas, qps: float, *, num_requests: int = 5000, seed: int = 0
) -> SimulatedLoad:
    """Let requests come at `qps`; each draws what its stages take from the measured seconds, independently.

    A stage without measured seconds is left out. The first tenth of the requests, when queues are still empty, does
    not count.
    """
    draw = np.random.default_rng((seed, 1))
    asked_s = np.cumsum(draw_gaps_s(qps, num_requests, seed))
    takes_s = {name: draw.choice(seconds[name], num_requests) for name in STAGES if seconds.get(name)}
    heard_s = [queue(asked_s, takes_s[name], replicas[name]) for name in EARS if name in takes_s]
    done_s = np.max([asked_s, *heard_s], axis=0)
    if READ in takes_s:
        done_s = queue(done_s, takes_s[READ], replicas[READ])
    busy = {name: float(took.sum() / (replicas[name] * done_s.max())) for name, took in takes_s.items()}
    return SimulatedLoad((done_s - asked_s)[num_requests // 10 :].tolist(), busy)


def queue(arrive_s: Times, takes_s: Times, num_replicas: int) -> Times:
    """Return when each request leaves a stage: first come, first served, by the replica that is free first."""
    free_s = [0.0] * num_replicas  # a heap: when each replica is free
    done_s = np.empty_like(arrive_s)
    arrivals, durations = arrive_s.tolist(), takes_s.tolist()
    for place in np.argsort(arrive_s, kind="stable").tolist():
        done_s[place] = done = max(arrivals[place], free_s[0]) + durations[place]
        heapreplace(free_s, done)
    return done_s


def find_fewest_replicas(seconds: Seconds, qps: float, p95_s: float) -> tuple[Replicas, SimulatedLoad]:
    """Return the replicas that hold `p95_s`, adding one where the queue is longest; exit code 2 where none can."""
    stages = [stage for stage in STAGES if seconds.get(stage)]
    means = {stage: sum(seconds[stage]) / len(seconds[stage]) for stage in stages}
    replicas = {stage: max(1, math.ceil(qps * means[stage] / BUSIEST)) for stage in stages}
    alone = simulate(seconds, dict.fromkeys(stages, MAX_REPLICAS), qps, num_requests=1000)
    if alone.quantile(0.95) > p95_s:
        _refuse(f"p95 is {alone.quantile(0.95):.2f} s without any waiting; {p95_s:g} s needs faster models")
    while (load := simulate(seconds, replicas, qps)).quantile(0.95) > p95_s:
        replicas[max(stages, key=lambda stage: load.busy[stage])] += 1
    return replicas, load


def read_stage_seconds(path: Path) -> Seconds:
    """Return the seconds per stage of a run folder's predictions."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for line in path.read_text().splitlines():
        response = json.loads(line)["response"]
        for stage, taken in (response or {"timings_s": {}})["timings_s"].items():
            seconds[stage].append(taken)
    if not seconds:
        _refuse(f"'{path}' holds no timings; give predictions.jsonl of a cascade run")
    return seconds


def main() -> None:
    """Print the replicas, how busy they are, and the latencies."""
    parser = argparse.ArgumentParser(prog="benchmarks/sizing.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--qps", type=float, required=True, help="questions a second")
    parser.add_argument("--p95", type=float, required=True, help="seconds that 95 %% of the answers may take")
    parser.add_argument("--seconds", type=Path, help="predictions.jsonl of a cascade run, measured where it will run")
    parser.add_argument("--stage", action="append", default=[], metavar="NAME=SECONDS", help="instead of --seconds")
    parser.add_argument("--per-gpu", action="append", default=[], metavar="NAME=REPLICAS", help="replicas on one GPU")
    options = parser.parse_args()
    if bool(options.seconds) == bool(options.stage):
        _refuse("give either --seconds or --stage")
    seconds = (
        read_stage_seconds(options.seconds)
        if options.seconds
        else {k: [v] for k, v in _parse_pairs(options.stage).items()}
    )
    if unknown := seconds.keys() - set(STAGES):
        _refuse(f"no stage named {', '.join(sorted(unknown))}; known: {', '.join(STAGES)}")
    replicas, load = find_fewest_replicas(seconds, options.qps, options.p95)
    per_gpu = _parse_pairs(options.per_gpu)
    table = Table("stage", "mean s", "replicas", "busy", "GPUs", title=f"{options.qps:g} questions a second")
    for stage, count in replicas.items():
        mean = sum(seconds[stage]) / len(seconds[stage])
        gpus = f"{math.ceil(count / per_gpu[stage])}" if stage in per_gpu else "–"
        table.add_row(stage, f"{mean:.2f}", f"{count}", f"{load.busy[stage]:.0%}", gpus)
    console = Console()
    console.print(table)
    console.print(f"p50 {load.quantile(0.5):.2f} s, p95 {load.quantile(0.95):.2f} s, p99 {load.quantile(0.99):.2f} s")


def _parse_pairs(texts: Sequence[str]) -> dict[str, float]:
    pairs = dict(text.partition("=")[::2] for text in texts)
    try:
        return {name: float(value) for name, value in pairs.items()}
    except ValueError:
        _refuse(f"{' '.join(texts)!r} is not NAME=NUMBER")


def _refuse(why: str) -> NoReturn:
    print(f"Error: {why}.", file=sys.stderr)
    sys.exit(2)


if __name__ == "__main__":
    main()
