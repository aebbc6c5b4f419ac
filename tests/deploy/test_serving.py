"""Start of the service up to its first word, over a child that is a few lines: signals before it is ready."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

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
serving.serve(lambda: ServeConfig(), "127.0.0.1", port, child=(sys.executable, "-c", {child!r}))
"""


@contextmanager
def start(child: str) -> Iterator[subprocess.Popen[str]]:
    """Start the service over a child, and wait until the child is loading."""
    script = SCRIPT.format(child=child)
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, stderr=-1, text=True) as process:
        assert process.stderr is not None and process.stderr.readline() == "loading\n"
        yield process


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_it_is_ready_is_one_line_and_the_code_of_the_signal(number: int, code: int) -> None:
    with start(f"{LOADING}time.sleep(60)") as process:
        process.send_signal(number)
        said, told = process.communicate(timeout=60)
    assert (said, told) == ("", "earwitness: interrupted before it was ready; nothing was changed.\n")
    assert process.returncode == code


def test_a_reload_before_it_is_ready_is_heeded_once_it_is() -> None:
    ready = """print('{"what": "ready"}\\n' * 2, end="", flush=True)"""
    with start(f"{LOADING}sys.stdin.readline()\n{ready}\ntime.sleep(60)") as process:
        process.send_signal(signal.SIGUSR1)
        assert process.stderr is not None and process.stderr.readline() == "The new configuration is in use.\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
