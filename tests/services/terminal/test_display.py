"""Progress on stderr: only on a terminal, and on a narrow one without losing a word."""

import fcntl
import os
import re
import struct
import subprocess
import sys
import termios

import pytest

SCRIPT = """
import sys
from services.progress import report_stage
from services.terminal.display import show_progress
with show_progress(quiet="quiet" in sys.argv):
    with report_stage("open models"):
        pass
    with report_stage("transcribe", 300, "seconds of audio") as long, report_stage("weights", 4e6, "bytes") as big:
        long.advance_to(90)
        big.advance(1e6)
        input()
"""
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


@pytest.mark.parametrize("columns", [40, 80])
@pytest.mark.slow
def test_each_stage_has_a_line_with_its_seconds_and_how_far_it_is(columns: int) -> None:
    shown = show_on_terminal(columns)
    assert re.search(r"✓ open models +0\.\d s", shown)
    assert {"1:30", "of", "5:00", "audio", "transcribe", "1.0", "4.0", "MB"} <= set(shown.replace(",", "").split())
    assert ("━" in shown) == (columns == 80)


@pytest.mark.slow
def test_off_a_terminal_or_with_quiet_nothing_is_shown() -> None:
    command = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(command, input="\n", capture_output=True, text=True, check=True)
    assert done.stderr == ""
    assert show_on_terminal(80, "quiet") == ""


def show_on_terminal(columns: int, *flags: str) -> str:
    """Return what is drawn on a terminal of so many columns, up to the first time that all stages are seen."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "NO_COLOR"}}
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, *flags],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=theirs,
        env=environment | {"TERM": "xterm"},
    )
    os.close(theirs)
    assert process.stdin is not None
    shown = b""
    while not flags and b"MB" not in shown:
        shown += os.read(ours, 4096)
    process.stdin.write(b"\n")
    process.stdin.close()
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    process.wait()
    return ESCAPES.sub("", shown.decode())
