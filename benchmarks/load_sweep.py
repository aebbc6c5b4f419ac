"""Concurrency sweep of the service from 1 to 64 questions in flight: prints latency quantiles and throughput.

    python benchmarks/load_sweep.py                      models that do nothing, under Ray
    python benchmarks/load_sweep.py --models embedded    the models of `earwitness serve`
    python benchmarks/load_sweep.py --models plain       models that do nothing, in one uvicorn process

Each number in flight is held for `--seconds` or `--requests`, whichever comes first, and what has been asked by then
is waited for. Every question is about another clip of 5 s, so that nothing comes from a cache.
"""

import argparse
import asyncio
import os
from collections.abc import Iterator, Sequence

from http_load import LoadResult, LoadTarget, make_clips, run_steady
from running_service import EMBEDDED, NOOP, start_service

IN_FLIGHT = (1, 2, 4, 8, 16, 32, 64)
COMMANDS = {"noop": (*NOOP, "ray"), "plain": (*NOOP, "plain"), "embedded": EMBEDDED}
ROW = "{:>9}  {:>7}  {:>6}  {:>6}  {:>6}  {:>10}"
NUM_CLIPS = 400  # different ones; more questions than that meet some of them again


def sweep(url: str, clips: Sequence[bytes], num_requests: int, most_s: float) -> Iterator[tuple[int, LoadResult]]:
    """Yield what came of each number in flight; the first clips are for warming up."""
    asyncio.run(run_steady(LoadTarget(url, clips[:2]), 4, 2))
    rest = clips[2:]
    for in_flight in IN_FLIGHT:
        load = asyncio.run(run_steady(LoadTarget(url, rest), num_requests, in_flight, most_s=most_s))
        used = len(load.replies) % len(rest)
        rest = [*rest[used:], *rest[:used]]
        yield in_flight, load


def main() -> None:
    """Sweep and print."""
    parser = argparse.ArgumentParser(prog="benchmarks/load_sweep.py", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--models", choices=tuple(COMMANDS), default="noop")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each number in flight")
    parser.add_argument("--requests", type=int, default=1000, help="for each number in flight")
    asked = parser.parse_args()
    print(f"{asked.models}\n{ROW.format('in flight', 'answers', 'p50 ms', 'p95', 'p99', 'requests/s')}  errors by code")
    with start_service(COMMANDS[asked.models]) as service:
        for in_flight, load in sweep(service.url, make_clips(NUM_CLIPS), asked.requests, asked.seconds):
            quantiles = (f"{load.quantile_ms(share):.0f}" for share in (0.5, 0.95, 0.99))
            errors = ", ".join(f"{count} × {code}" for code, count in load.errors.items())
            print(
                ROW.format(in_flight, len(load.good), *quantiles, f"{load.per_s:.1f}"), f" {errors or '–'}", flush=True
            )
    print(f"{os.cpu_count()} cores; load average {', '.join(f'{load:.1f}' for load in os.getloadavg())}.")


if __name__ == "__main__":
    main()
