"""The sdist and the wheel hold all that runs: built here, installed away from the checkout and used from there.

No package is fetched: the environment that the wheel goes into reads the other packages from this one.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tomllib
import venv
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import numpy as np
import pytest
import soundfile

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
PACKAGES = ("services", "lalm", "agents", "eval", "deploy")
NEVER_INSTALLED = ("deploy/Dockerfile", "deploy/grafana/", "deploy/k8s/")
"""What is for an operator who has the checkout or the sdist."""
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


def read_imports(path: Path) -> Iterator[str]:
    """Yield the first part of each name that a file imports, within functions too."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def name_distributions(requirements: list[str]) -> set[str]:
    """Return the names in requirements such as `ray[serve]==2.60.0`, as indexes normalise them."""
    return {re.split(r"[^\w.-]", one)[0].lower().replace("_", "-") for one in requirements}


def test_whatever_is_imported_is_a_dependency_or_of_an_extra() -> None:
    """What another package brings along today may be gone tomorrow."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    used = [*project["dependencies"], *(one for name in extras.keys() - {"dev", "docs"} for one in extras[name])]
    stated = name_distributions(used)
    homes = packages_distributions()
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    imported = {name for path in files for name in read_imports(path)} - {*sys.stdlib_module_names, *PACKAGES}
    assert {name for name in imported if not stated & name_distributions([*homes.get(name, []), name])} == set()


class Built(NamedTuple):
    """The two distributions."""

    sdist: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build a copy of the checkout: setuptools writes beside the sources."""
    folder = tmp_path_factory.mktemp("package")
    left_out = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist", "runs", "demo", "site")
    shutil.copytree(ROOT, folder / "source", ignore=left_out)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder / "dist", folder / "source"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (sdist,), (wheel,) = (folder / "dist").glob("*.tar.gz"), (folder / "dist").glob("*.whl")
    return Built(sdist, wheel)


@pytest.fixture(scope="module")
def python(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the Python of an environment with the wheel; the checkout, which is installed here, is not seen there."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder)
    python = folder / "bin" / "python"
    install = ["install", "--quiet", "--no-deps", "--no-index", "--no-compile", built.wheel]
    subprocess.run([sys.executable, "-m", "pip", "--python", python, *install], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    # A path file's own folders are searched, but the path files in them are not read: that of the checkout is one.
    (site / "others.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return python


def sources() -> set[str]:
    """Return the files of the five packages, relative to the root."""
    files = {path for package in PACKAGES for path in (ROOT / package).rglob("*") if path.is_file()}
    return {str(path.relative_to(ROOT)) for path in files if "__pycache__" not in path.parts}


def test_the_wheel_holds_every_file_of_the_packages(built: Built) -> None:
    with ZipFile(built.wheel) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == {name for name in sources() if not name.startswith(NEVER_INSTALLED)}


def test_the_sdist_holds_what_is_installed_and_what_tests_it(built: Built) -> None:
    with tarfile.open(built.sdist) as sdist:
        held = {name.partition("/")[2] for name in sdist.getnames()}
    rest = ("Makefile", "deploy/k8s/rayservice.yaml", "docs/graph.md", "constraints/cpu.txt", "tests/conftest.py")
    assert held >= {*sources(), *rest}


def test_an_installed_wheel_asks_benchmarks_reports_and_serves(python: Path, tmp_path: Path) -> None:
    soundfile.write(tmp_path / "clip.wav", np.full(16_000, 0.1), 16_000)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, Path(__file__).with_name("use_installed.py"), tmp_path / "clip.wav"],
        cwd=tmp_path,
        env=environment | {"EARWITNESS_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["choice"] == {"letter": "B", "text": "Rain"}
    assert json.loads((tmp_path / "run" / "summary.json").read_text())["correct_strict"] == 1
    assert "What is heard?" in (tmp_path / "report.html").read_text()
    assert json.loads((tmp_path / "found.json").read_text()) == {
        "version": VERSION,
        "folders": [str(python.parents[1])] * 4,
        "pages": {"/": 200, "/web/page.js": 200, "/web/page.css": 200},
        "deployments": {"serve.local.yaml": 4, "serve.yaml": 9},
    }


@pytest.mark.parametrize("command", ["earwitness", "eval"])
def test_the_commands_are_installed(command: str, python: Path, tmp_path: Path) -> None:
    done = subprocess.run([python.with_name(command), "--help"], cwd=tmp_path, capture_output=True, check=True)
    assert b"Usage:" in done.stdout
