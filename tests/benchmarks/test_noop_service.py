"""The service in one process: it starts, answers about a clip at the pace that it was given, and leaves nothing."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import noop_service
import pytest
from http_load import LoadTarget, make_clips, run_steady
from load_sweep import IN_FLIGHT, sweep
from running_service import NOOP, RunningService, start_service
from sizing_check import collect_stage_seconds

from deploy import serving

pytestmark = pytest.mark.slow
PACE = ("--caption", "20", "--transcribe", "10", "--read", "30")


@pytest.fixture(scope="module")
def service() -> Iterator[RunningService]:
    with start_service((*NOOP, "plain"), *PACE) as running:
        yield running
    assert not running.processes()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{running.url}/healthz")


def test_stages_take_their_time_one_clip_at_a_time(service: RunningService, recording: Path) -> None:
    target = LoadTarget(service.url, make_clips(2, recording=recording))
    asyncio.run(run_steady(target, 4, 1))
    alone = asyncio.run(run_steady(target, 5, 1, keep=True))
    assert alone.errors == {}
    for stage, least_s in (("caption", 0.02), ("transcribe", 0.01), ("read", 0.03)):
        assert min(collect_stage_seconds(alone)[stage]) >= 0.9 * least_s  # timers may be early
    at_once = asyncio.run(run_steady(target, 8, 8, keep=True))
    assert at_once.wall_s >= 0.9 * 8 * 0.03  # one after another; those that come together would take 0.06 s


def test_the_evidence_is_about_the_clip(service: RunningService, recording: Path) -> None:
    files = {"file": make_clips(1, recording=recording)[0]}
    fields = {"question": "Which?", "choices": ["Rain", "Snow"], "model": "cascade"}
    answer = httpx.post(f"{service.url}/v1/audio/questions", files=files, data=fields, timeout=30).json()
    assert [one["text"] for one in answer["evidence"]] == ["Speech, 5.0 s.", "80000 samples."]
    assert (answer["choice"]["text"], answer["path"]) == ("Rain", "cascade")


def test_a_sweep_has_an_entry_for_each_number_in_flight(service: RunningService, recording: Path) -> None:
    loads = dict(sweep(service.url, make_clips(9, recording=recording), 6, 20.0))
    assert tuple(loads) == IN_FLIGHT
    assert {len(load.good) for load in loads.values()} == {6}


def test_its_processes_have_names_memory_and_time(service: RunningService) -> None:
    names = service.processes()
    assert {"noop_service.py", "services.audio.decoder_worker"} <= set(names.values())
    sizes, used = service.memory_mb(), service.cpu_s()
    serving = next(pid for pid, name in names.items() if name == "noop_service.py")
    assert 20 < sizes[serving].own < sizes[serving].pss < 2000
    assert used[serving] > 0.1


def test_a_ray_that_does_not_start_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise serving.RayNotStarted("Ray did not start (TimeoutError).")

    monkeypatch.setattr(serving, "serve", fail)
    monkeypatch.setattr(sys, "argv", ["noop_service.py", "ray", "1"])
    with pytest.raises(SystemExit) as ended:
        noop_service.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "benchmarks/noop_service.py: Ray did not start (TimeoutError).\n"


def test_a_benchmark_whose_service_does_not_start_says_why_in_one_line() -> None:
    command = (sys.executable, "-c", "import sys; sys.exit('Loading.\\nRay did not start.')")
    said = r"The service did not start within 300 s: Ray did not start\."
    with pytest.raises(SystemExit, match=said), start_service(command):
        pass
