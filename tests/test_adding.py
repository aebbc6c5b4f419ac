"""The examples of docs/adding.md work at the first try: files as they stand, and a line in a copy of the packages."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from agents.models import LocalModels
from deploy.config import list_deployed, read_serve_config
from services.extensions import registry

ROOT = Path(__file__).parents[1]
PACKAGES = ("services", "lalm", "agents", "eval", "deploy")
BLOCK = re.compile(r'^```(python|console|yaml) title="([^"]+)"\n(.*?)^```', re.DOTALL | re.MULTILINE)
EXCERPT = re.compile(r"run by tests/test_adding.py, in (\S+)")
ENTRY = re.compile(r"(.*?)^(\w+) = \{\n(.*?)    # … the others\n\}\n", re.DOTALL | re.MULTILINE)


class Block(NamedTuple):
    """A fenced block of the page."""

    language: str
    title: str
    text: str


BLOCKS = [Block(*found) for found in BLOCK.findall((ROOT / "docs/adding.md").read_text())]
COMMANDS = [block.text.removeprefix("$ ").strip() for block in BLOCKS if block.language == "console"]


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the packages with every example of the page in it, and the demo clips."""
    root = tmp_path_factory.mktemp("extended")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for block in BLOCKS:
        if block.language == "python" and (excerpt := EXCERPT.fullmatch(block.title)):
            insert(root / excerpt[1], block.text)
        elif block.language == "python":
            (root / block.title).write_text(block.text)
    done = command("earwitness demo demo", root)
    assert done.returncode == 0, done.stderr
    return root


def insert(file: Path, excerpt: str) -> None:
    """Put the function of an excerpt above a catalogue, and its entry first into it."""
    entry = ENTRY.fullmatch(excerpt)
    assert entry, excerpt
    opener, catalogue, line = entry.groups()
    pattern = rf"^({catalogue}\b.*= \{{\n)"
    source, found = re.subn(pattern, lambda match: opener + match[1] + line, file.read_text(), flags=re.MULTILINE)
    assert found == 1, f"{catalogue} in {file}"
    file.write_text(source)


def command(text: str, root: Path) -> "subprocess.CompletedProcess[str]":
    """Run `earwitness …` on the copy."""
    words = text.replace("earwitness", f"{sys.executable} -m deploy.cli", 1)
    environment = {**os.environ, "PYTHONPATH": str(root)}
    shell = ["/bin/bash", "-c", words]
    return subprocess.run(shell, cwd=root, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.weights
@pytest.mark.parametrize("text", COMMANDS)
def test_the_example_works_at_the_first_try(text: str, extended: Path) -> None:
    done = command(text, extended)
    assert done.returncode == 0, done.stderr[-2000:]


def test_every_example_has_its_command() -> None:
    assert len(COMMANDS) == sum(block.language == "python" for block in BLOCKS)


def test_an_example_of_a_class_is_short() -> None:
    files = [block for block in BLOCKS if block.language == "python" and block.title.endswith(".py")]
    assert {block.title for block in files if len(re.findall(r"^.*\S.*$", block.text, re.MULTILINE)) > 13} <= {
        "pairs.py"
    }


def test_a_configuration_includes_a_file_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_tables", {})
    monkeypatch.setattr(registry, "_contents", {})
    for block in BLOCKS:
        if block.title in {"overlap.py", "with-overlap.yaml"}:
            (tmp_path / block.title).write_text(block.text)
    config = read_serve_config(tmp_path / "with-overlap.yaml")
    assert config.include == (str(tmp_path / "overlap.py"),)
    assert [one.resolve_names().include for one in list_deployed(config)] == [config.include] * 3
    monkeypatch.setattr(registry, "_tables", {})  # a replica is a process of its own, which has included nothing yet
    monkeypatch.setattr(registry, "_contents", {})
    reader = next(one for one in list_deployed(config) if one.kind == "llm")
    assert LocalModels(reader.resolve_names()).open_llm().name == "overlap"
    (tmp_path / "with-overlap.yaml").write_text("models:\n  llm: overlap\n")
    assert read_serve_config(tmp_path / "with-overlap.yaml", [str(tmp_path / "overlap.py")]) == config
