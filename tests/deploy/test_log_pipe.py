"""Lines of several processes come out whole, on stderr, all of them before the end."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from deploy.log_pipe import NAME, open_log_pipe

WRITER = """
from services.telemetry.log_lines import LOGGER, start_logging
start_logging()
for number in range(200):
    LOGGER.info("call", extra={"facts": {"number": number, "filling": "x" * 3000}})
"""


@pytest.mark.slow
def test_lines_of_several_processes_come_out_whole(capfd: pytest.CaptureFixture[str]) -> None:
    with TemporaryDirectory() as folder, open_log_pipe(Path(folder)):
        environment = {
            "EARWITNESS_LOG_PIPE": str(Path(folder) / NAME),
            "PYTHONPATH": str(Path(__file__).parents[2]),
        }
        writers = [subprocess.Popen([sys.executable, "-c", WRITER], env=environment) for _ in range(3)]
        assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert sorted(line["number"] for line in lines) == sorted(3 * list(range(200)))
    assert {line["filling"] for line in lines} == {"x" * 3000}
