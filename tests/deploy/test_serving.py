"""Start of the service up to its first word, over a child that is a few lines: signals before it is ready."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy import serving

LOADING = """
import sys, time
assert "config" in sys.stdin.readline()
print('{"what": "loading", "num_deployments": 2}', flush=True)
print("loading", file=sys.stderr, flush=True)
"""
SCRIPT = """
import signal, socket, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored in the background
from deploy import serving
from deploy.config import ServeConfig
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    port = probe.getsockname()[1]
calls = 0
def read():
    global calls
    calls += 1
    if calls > 1:
        exec({readings!r}[calls - 2])
    return ServeConfig()
serving.serve(read, "127.0.0.1", port, child=(sys.executable, "-c", {child!r}))
"""
NO_RAY = """print('{"what": "no_ray", "message": "Ray did not start (it took too long)."}', flush=True)"""
READY = """print('{"what": "ready"}\\n', end="", flush=True)"""


@contextmanager
def start(child: str, readings: tuple[str, ...] = ("pass",)) -> Iterator[subprocess.Popen[str]]:
    """Start the service over a child, and wait until it is loading; one of `readings` runs each time it reads again."""
    script = SCRIPT.format(child=child, readings=readings)
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, stderr=-1, text=True) as process:
        assert process.stderr is not None and process.stderr.readline() == "loading\n"
        yield process


@pytest.mark.slow
def test_what_pytorch_writes_when_it_is_imported_goes_with_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._inductor.runtime import cache_dir_utils

    monkeypatch.delenv("TORCHINDUCTOR_CACHE_DIR", raising=False)
    for name, value in serving._build_environment(tmp_path, "127.0.0.1").items():
        monkeypatch.setenv(name, value)
    assert Path(cache_dir_utils.cache_dir()).is_relative_to(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_it_is_ready_is_one_line_and_the_code_of_the_signal(number: int, code: int) -> None:
    with start(f"{LOADING}time.sleep(60)") as process:
        process.send_signal(number)
        said, told = process.communicate(timeout=60)
    assert (said, told) == ("", "earwitness: interrupted before it was ready; nothing was changed.\n")
    assert process.returncode == code


@pytest.mark.slow
def test_a_reload_before_it_is_ready_is_heeded_once_it_is() -> None:
    ready = """print('{"what": "ready"}\\n' * 2, end="", flush=True)"""
    with start(f"{LOADING}sys.stdin.readline()\n{ready}\ntime.sleep(60)") as process:
        process.send_signal(signal.SIGUSR1)
        assert process.stderr is not None and process.stderr.readline() == "The new configuration is in use.\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.slow
def test_a_ray_that_is_slow_to_start_is_started_once_more(tmp_path: Path) -> None:
    child = f"""{LOADING}import pathlib
seen = pathlib.Path({str(tmp_path / "seen")!r})
if seen.exists():
    {READY}
    time.sleep(60)
seen.touch()
{NO_RAY}"""
    with start(child) as process:
        assert process.stderr is not None and process.stdout is not None
        assert process.stderr.readline() == "earwitness: Ray did not start (it took too long). Once more.\n"
        assert process.stdout.readline().startswith("Listening on http://127.0.0.1:")
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0


@pytest.mark.slow
def test_a_ray_that_does_not_start_is_one_line() -> None:
    script = f"{LOADING}{NO_RAY}"
    with start(script) as process:
        assert process.stderr is not None
        told = process.stderr.read()  # `communicate` would leave out what came with the line that was read
    assert told.startswith("earwitness: Ray did not start (it took too long). Once more.\nloading\n")
    assert told.endswith("deploy.serving.RayNotStarted: Ray did not start (it took too long).\n")  # a line in the CLI
    assert process.returncode == 1


@pytest.mark.slow
def test_whatever_a_configuration_raises_the_service_goes_on() -> None:
    raised = {
        "raise OSError(36, 'File name too long')": "OSError: [Errno 36] File name too long",
        "raise RecursionError('deep')": "RecursionError: deep",
        "sys.exit(3)": "SystemExit: 3",
        "raise serving.BadConfig('Configuration: unknown key.')": "Configuration: unknown key.",
    }
    with start(f"{LOADING}{READY}\ntime.sleep(60)", tuple(raised)) as process:
        assert process.stderr is not None and process.stdout is not None
        assert [process.stdout.readline().split()[0] for _ in range(3)][-1] == "Ready."
        for said in raised.values():
            process.send_signal(signal.SIGUSR1)
            lines = iter(process.stderr.readline, f"The configuration stays as it was: {said}\n")
            assert all("stays as it was" not in line for line in lines)
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
