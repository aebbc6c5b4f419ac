"""The promises of the README and of the design that a machine can check."""

import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("services", "lalm", "agents", "eval", "deploy")
README = (ROOT / "README.md").read_text()


def tree_of_readme() -> set[str]:
    """Return the paths that the README's file tree lists, files only."""
    block = README.split("<!-- tree -->")[1]
    paths, folder = set(), ""
    for line in block.splitlines():
        if match := re.match(r"^( *)([\w./-]+)", line):
            indent, name = match.groups()
            folder = name if not indent and name.endswith("/") else folder
            if not name.endswith("/"):
                paths.add(folder + name if indent else name)
    return paths


def test_the_tree_in_the_readme_is_the_tree_on_disk() -> None:
    on_disk = {
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".json", ".yaml", ".safetensors"} and path.name != "__init__.py"
    }
    assert tree_of_readme() == on_disk


@pytest.mark.parametrize("package", PACKAGES)
def test_no_installed_distribution_shadows_our_packages(package: str) -> None:
    command = [sys.executable, "-c", f"import {package}; print({package}.__file__)"]
    path = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/").stdout
    assert Path(path.strip()) == ROOT / package / "__init__.py"


@pytest.mark.parametrize("command", ["-m eval --help", "-m deploy.cli --help"])
def test_help_is_quick(command: str) -> None:
    def seconds() -> float:
        started = time.perf_counter()
        subprocess.run([sys.executable, *shlex.split(command)], capture_output=True, check=True)
        return time.perf_counter() - started

    assert min(seconds() for _ in range(3)) < 1.0


def test_tests_are_no_packages() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_no_file_is_longer_than_400_lines() -> None:
    long = {
        path: n
        for package in PACKAGES
        for path in (ROOT / package).rglob("*.py")
        if (n := path.read_text().count("\n")) > 400
    }
    assert not long
