"""Log pipe: the lines of all processes go to our own stderr as they are, without the prefixes of Ray."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "log-lines"
END = b"\0end of the log\n"  # no JSON


@contextmanager
def open_log_pipe(folder: Path) -> Iterator[None]:
    """Copy what is written to a named pipe in a folder to stderr; at the end, all of it has been copied."""
    path = folder / NAME
    os.mkfifo(path, mode=0o600)
    # Open for writing too: so the pipe never ends while we live, and writers never wait for us to open it.
    both_ends = os.open(path, os.O_RDWR)
    copying = threading.Thread(target=_copy, args=(both_ends,), daemon=True)
    copying.start()
    try:
        yield
    finally:
        os.write(both_ends, END)
        copying.join()


def _copy(pipe: int) -> None:
    with os.fdopen(pipe, "rb") as lines:
        for line in lines:
            if line == END:
                return
            sys.stderr.write(line.decode(errors="replace"))  # which puts it above the bar of a start
            sys.stderr.flush()
