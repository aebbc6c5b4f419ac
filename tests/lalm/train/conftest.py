"""Two processes of one data-parallel run."""

import json
import os
import runpy
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from typing import NamedTuple, TextIO

import pytest

SERVER = Path(__file__).with_name("run_as_two.py")


class Forked(NamedTuple):
    """A process that runs SERVER, and what it reads and writes."""

    process: int
    given: TextIO
    said: TextIO


FORKED = pytest.StashKey[Forked]()


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Fork the server while all is imported and nothing runs yet: its imports alone would take seconds.

    A process with threads cannot fork safely, nor could what a fork runs be measured.
    """
    is_asked_for = any("run_as_two" in getattr(item, "fixturenames", ()) for item in session.items)
    is_measured = session.config.pluginmanager.hasplugin("_cov")
    if is_asked_for and sys.platform == "linux" and threading.active_count() == 1 and not is_measured:
        session.config.stash[FORKED] = fork_server()


def fork_server() -> Forked:
    """Run SERVER in a fork of this process."""
    (theirs_in, given), (said, theirs_out) = os.pipe(), os.pipe()
    if child := os.fork():
        os.close(theirs_in)
        os.close(theirs_out)
        return Forked(child, os.fdopen(given, "w"), os.fdopen(said))
    try:
        os.close(given)  # its end says that nothing more will come
        sys.stdin, sys.stdout = os.fdopen(theirs_in), os.fdopen(theirs_out, "w")
        os.environ["OMP_NUM_THREADS"] = "1"
        runpy.run_path(str(SERVER), run_name="__main__")
    finally:
        os._exit(0)


@pytest.fixture(scope="session")
def run_as_two(request: pytest.FixtureRequest) -> Iterator[Callable[[str], None]]:
    """Return what runs code in two processes of one group, and fails where it fails in one of them."""
    if forked := request.config.stash.get(FORKED, None):
        with forked.given:
            yield runner(forked.given, forked.said)
        os.waitpid(forked.process, 0)
        forked.said.close()
        return
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen([sys.executable, SERVER], text=True, stdin=PIPE, stdout=PIPE, env=environment) as process:
        assert process.stdin and process.stdout
        yield runner(process.stdin, process.stdout)
        process.stdin.close()


def runner(given: TextIO, said: TextIO) -> Callable[[str], None]:
    """Return what gives code to the server and waits until it has run."""

    def run(code: str) -> None:
        given.write(json.dumps(code) + "\n")
        given.flush()
        assert "done\n" in iter(said.readline, ""), "stderr says why"

    return run
