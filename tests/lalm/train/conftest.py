"""Two processes of one data-parallel run."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE

import pytest


@pytest.fixture(scope="session")
def run_as_two() -> Iterator[Callable[[str], None]]:
    """Return what runs code in two processes of one group, and fails where it fails in one of them."""
    command = [sys.executable, Path(__file__).with_name("run_as_two.py")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, text=True, stdin=PIPE, stdout=PIPE, env=environment) as process:
        given, said = process.stdin, process.stdout
        assert given and said

        def run(code: str) -> None:
            given.write(json.dumps(code) + "\n")
            given.flush()
            assert "done\n" in iter(said.readline, ""), "stderr says why"

        yield run
        given.close()
