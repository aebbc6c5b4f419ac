"""Interruption with Ctrl-C (SIGINT): the process ends at once, with one line that says what is kept, and exit code 130.

A thread ends it, which the signal wakes: the main thread may be busy for a minute in a model, where no handler written
in Python runs. Files appear whole or not at all, so nothing has to be put in order first; work that does have to, ends
by a `KeyboardInterrupt` instead, within `raise_on_interrupt`.
"""

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from services.terminal.command import INTERRUPTED

_kept: list[Callable[[], str]] = [lambda: "nothing was changed"]
"""What says what is kept; the last one counts."""
_last_acts: list[Callable[[], object]] = []
"""What is done before the process ends, such as giving the terminal its cursor back."""


def _heed(_number: int, _frame: FrameType | None) -> None:
    """Stand in for the default handler, which would raise `KeyboardInterrupt`: the thread does the work."""


@contextmanager
def end_on_interrupt(program: str) -> Iterator[None]:
    """Let SIGINT end the process during the block; where it is ignored, or handled already, nothing changes."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    readable, writable = socket.socketpair()
    writable.settimeout(0)  # as `set_wakeup_fd` asks
    before = signal.set_wakeup_fd(writable.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGINT, _heed)
    threading.Thread(target=_wait_and_end, args=(readable, program), name="interruption", daemon=True).start()
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.set_wakeup_fd(before)
        writable.close()  # which ends the thread


@contextmanager
def raise_on_interrupt() -> Iterator[None]:
    """Have SIGINT raise `KeyboardInterrupt` in the main thread during the block."""
    fd = signal.set_wakeup_fd(-1)  # the thread sleeps: it may come to look only when the block is left
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        signal.set_wakeup_fd(fd)


@contextmanager
def keep_on_interrupt(what: Callable[[], str]) -> Iterator[None]:
    """Say what is kept if the block is interrupted: `what` gives the end of a sentence, without its full stop."""
    _kept.append(what)
    try:
        yield
    finally:
        _kept.remove(what)


@contextmanager
def act_on_interrupt(act: Callable[[], object]) -> Iterator[None]:
    """Do something quick before the process ends if the block is interrupted."""
    _last_acts.append(act)
    try:
        yield
    finally:
        _last_acts.remove(act)


def _wait_and_end(readable: socket.socket, program: str) -> None:
    with readable:
        while number := readable.recv(1):
            if number[0] == signal.SIGINT and signal.getsignal(signal.SIGINT) is _heed:
                end_interrupted(program)


def end_interrupted(program: str) -> NoReturn:
    """End the process now, with a line that says what is kept."""
    for act in reversed(_last_acts):
        act()
    with suppress(OSError):  # the terminal may be gone
        os.write(2, f"{program}: interrupted; {_kept[-1]()}.\n".encode())
    os._exit(INTERRUPTED)
