"""The simulated queues against what queueing theory knows."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "sizing.py"


@pytest.fixture(scope="module")
def sizing() -> ModuleType:
    spec = importlib.util.spec_from_file_location("sizing", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["sizing"] = module
    spec.loader.exec_module(module)
    return module


def test_one_queue_waits_as_pollaczek_and_khinchine_say(sizing: ModuleType) -> None:
    load = sizing.simulate({"read": [1.0]}, {"read": 1}, 0.7, num_requests=60_000)
    wait = 0.7 / (2 * (1 - 0.7))  # M/D/1
    mean = sum(load.latencies_s) / len(load.latencies_s)
    assert mean - 1 == pytest.approx(wait, rel=0.07)
    assert load.busy["read"] == pytest.approx(0.7, rel=0.03)


def test_ears_work_at_once_and_the_reader_after_them(sizing: ModuleType) -> None:
    seconds = {"caption": [2.0], "transcribe": [3.0], "read": [1.0]}
    load = sizing.simulate(seconds, dict.fromkeys(seconds, 100), 0.5, num_requests=200)
    assert load.quantile(0.0) == pytest.approx(4.0) == load.quantile(1.0)


def test_the_replicas_found_hold_the_latency_and_one_fewer_does_not(sizing: ModuleType) -> None:
    seconds = {"caption": [0.8], "read": [1.2]}
    replicas, load = sizing.find_fewest_replicas(seconds, 5, 3.0)
    assert load.quantile(0.95) <= 3.0
    fewer = dict(replicas) | {"read": replicas["read"] - 1}
    assert sizing.simulate(seconds, fewer, 5).quantile(0.95) > 3.0


def test_a_latency_that_no_number_of_replicas_can_hold_is_refused(
    sizing: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        sizing.find_fewest_replicas({"read": [2.0]}, 1, 1.0)
    assert stopped.value.code == 2
    assert "needs faster models" in capsys.readouterr().err
