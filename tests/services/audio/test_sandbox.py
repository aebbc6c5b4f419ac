"""A confined process computes and uses the files it was handed, and nothing else, whoever runs it."""

import mmap
import multiprocessing
import os
import platform
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from services.audio.sandbox import Protection, ResourceLimits, confine, isolate

ALLOWANCE = ResourceLimits(memory_bytes=2 << 30, cpu_s=5, written_bytes=1000)


def _open_a_file() -> None:
    Path("/etc/hostname").read_bytes()


def _open_a_socket() -> None:
    socket.socket()


def _start_a_process() -> None:
    subprocess.run(["/bin/true"], check=True)


def _fork() -> None:
    os.fork()


def _signal_the_parent() -> None:
    os.kill(os.getppid(), 0)


def _take_memory() -> None:
    mmap.mmap(-1, 3 << 30)  # a fork of a large process may find 3 GB in what its allocator kept


def _outcome(forbidden: Callable[[], None], told: int) -> None:
    confine(ALLOWANCE)
    try:
        forbidden()
        os.write(told, b"done")
    except (OSError, MemoryError) as error:
        os.write(told, type(error).__name__.encode())


def outcome(forbidden: Callable[[], None]) -> str:
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=_outcome, args=(forbidden, writing))
    process.start()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read().decode()
    process.join()
    return said


@pytest.mark.skipif(platform.machine() not in ("x86_64", "aarch64"), reason="the filter knows two processors")
@pytest.mark.parametrize("forbidden", [_open_a_file, _open_a_socket, _start_a_process, _fork, _signal_the_parent])
def test_no_file_socket_process_or_signal(forbidden: Callable[[], None]) -> None:
    assert outcome(forbidden) in ("PermissionError", "OSError", "BlockingIOError")


def test_no_more_memory_than_allowed() -> None:
    assert outcome(_take_memory) == "OSError"


def test_what_is_allowed_still_works() -> None:
    assert outcome(lambda: None) == "done"


def _isolated(told: int) -> None:
    held = isolate()
    os.write(told, f"{Protection.NO_NEW_PRIVILEGES in held} {os.geteuid()}".encode())


def test_who_is_root_is_nobody_afterwards() -> None:
    reading, writing = os.pipe()
    process = multiprocessing.get_context("fork").Process(target=_isolated, args=(writing,))
    process.start()
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        privileges, user = pipe.read().decode().split()
    process.join()
    assert privileges == "True"
    assert user != "0"
