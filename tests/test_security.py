"""SECURITY.md names a test for every measure, and each of them exists."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROWS = [
    line for line in (ROOT / "SECURITY.md").read_text().splitlines() if line.startswith("| ") and "Threat" not in line
]
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", "\n".join(ROWS))


def test_every_row_names_a_test() -> None:
    assert len(ROWS) > 15
    assert [row for row in ROWS if not re.search(r"`tests/[\w/]+\.py::\w+`", row)] == []


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_a_named_test_exists(path: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / path).read_text(), flags=re.MULTILINE)


@pytest.mark.slow
def test_onnx_runtime_reports_nothing_to_its_maker(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    command = [sys.executable, "-c", "import services.captioners.onnx_session"]
    subprocess.run(command, env={**environment, "TMPDIR": str(tmp_path)}, check=True)
    assert not list(tmp_path.iterdir())  # where it reports, it leaves the state of a session there
