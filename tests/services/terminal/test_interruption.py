"""Ctrl-C at any moment: one line that says what is kept, and exit code 130."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from services.terminal.interruption import end_on_interrupt, raise_on_interrupt

HEADER = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored in the background
from services.terminal.interruption import act_on_interrupt, end_on_interrupt, keep_on_interrupt, raise_on_interrupt

def wait():
    print("ready", flush=True)
    for _ in range(100):
        time.sleep(0.1)
"""


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('with end_on_interrupt("tool"): wait()', "tool: interrupted; nothing was changed.\n"),
        (
            'with end_on_interrupt("tool"), keep_on_interrupt(lambda: "half"), end_on_interrupt("inner"): wait()',
            "tool: interrupted; half.\n",
        ),
        (
            # The main thread does not come back to Python, as in a model.
            "import threading; lock = threading.Lock(); lock.acquire()\n"
            'with end_on_interrupt("tool"): print("ready", flush=True); lock.acquire()',
            "tool: interrupted; nothing was changed.\n",
        ),
        (
            'with end_on_interrupt("tool"), act_on_interrupt(lambda: print("last", file=sys.stderr)): wait()',
            "last\ntool: interrupted; nothing was changed.\n",
        ),
    ],
    ids=["nothing kept", "something kept", "busy", "last act"],
)
def test_one_line_says_what_is_kept(body: str, told: str) -> None:
    assert interrupt(HEADER + body) == (130, told)


def test_work_that_ends_in_good_order_gets_an_exception() -> None:
    body = """
with end_on_interrupt("tool"):
    try:
        with raise_on_interrupt():
            wait()
    except KeyboardInterrupt:
        print("put in order", file=sys.stderr)
        sys.exit(3)
"""
    assert interrupt(HEADER + body) == (3, "put in order\n")


@pytest.fixture
def default_handler() -> Iterator[None]:
    """The handler of a process in the foreground: the suite may run in the background, where SIGINT is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_handler")
def test_a_signal_that_raises_an_exception_does_not_wake_what_ends_the_process() -> None:
    """The thread might look at it only when the block is left, and end the work that puts things in order."""
    with end_on_interrupt("tool"):
        with raise_on_interrupt():
            assert signal.set_wakeup_fd(-1) == -1
        awake = signal.set_wakeup_fd(-1)
        assert awake != -1
        signal.set_wakeup_fd(awake)


def test_where_interruptions_are_ignored_they_stay_so() -> None:
    body = """
signal.signal(signal.SIGINT, signal.SIG_IGN)
with end_on_interrupt("tool"):
    print("ready", flush=True)
    time.sleep(0.5)
"""
    assert interrupt(HEADER + body) == (0, "")


def interrupt(script: str) -> tuple[int, str]:
    """Run a script, interrupt it once it is ready, and return its exit code and what it wrote to stderr."""
    process = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    return process.returncode, told
