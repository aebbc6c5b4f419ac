"""Run folders: what is known of a run without torch, and what a folder lacks."""

import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from lalm.train import run_files
from services.errors import BadConfig


def test_the_revision_is_the_hash_of_the_weights_and_of_the_naming_head(tmp_path: Path) -> None:
    (tmp_path / run_files.WEIGHTS).write_bytes(b"weights")
    digest = sha256(b"weights").hexdigest()[:12]
    assert run_files.compute_revision(tmp_path) == run_files.compute_whole_revision(tmp_path) == digest
    (tmp_path / run_files.NAMING_WEIGHTS).write_bytes(b"head")
    assert run_files.compute_revision(tmp_path) == digest
    assert run_files.compute_whole_revision(tmp_path) == f"{digest}-{sha256(b'head').hexdigest()[:8]}"


@pytest.mark.parametrize(
    ("ask", "file"),
    [(run_files.read_config, run_files.CONFIG), (run_files.compute_whole_revision, run_files.WEIGHTS)],
)
def test_a_folder_that_holds_no_run_is_refused_by_the_file_that_it_lacks(
    tmp_path: Path, ask: Callable[[Path], object], file: str
) -> None:
    with pytest.raises(BadConfig, match=file.replace(".", r"\.")):
        ask(tmp_path)


@pytest.mark.slow
def test_torch_is_not_imported() -> None:
    code = "import sys, lalm.train.run_files, lalm.runtimes.trained_lalm; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
