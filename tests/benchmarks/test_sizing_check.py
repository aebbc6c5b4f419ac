"""Waits, as the simulation and the service are compared by."""

import pytest
from http_load import LoadResult, TimedReply
from sizing import simulate
from sizing_check import collect_stage_seconds, measure_waits, simulate_alone_s

ALONE = {"caption": 0.12, "transcribe": 0.08, "read": 0.15}


def test_a_wait_is_what_is_beyond_an_answer_alone() -> None:
    found = measure_waits([0.2, 0.3, 0.5], 0.25)
    assert (found.p50, found.mean) == (pytest.approx(0.05), pytest.approx(0.1))


def test_without_load_nobody_waits_and_with_load_as_queueing_theory_says() -> None:
    seconds = collect_stage_seconds(LoadResult(1.0, [TimedReply(0.3, "200", ALONE)] * 5))
    assert simulate_alone_s(seconds) == pytest.approx(0.27)
    idle = simulate(seconds, dict.fromkeys(seconds, 1), 0.01, num_requests=500)
    assert measure_waits(idle.latencies_s, simulate_alone_s(seconds)).p50 == pytest.approx(0.0, abs=1e-9)
    only = {"read": [0.15], "caption": [0.0], "transcribe": [0.0]}
    load = simulate(only, dict.fromkeys(only, 1), 4.0, num_requests=40_000)
    mean = 0.6 * 0.15 / (2 * (1 - 0.6))  # M/D/1
    assert measure_waits(load.latencies_s, 0.15).mean == pytest.approx(mean, rel=0.07)
