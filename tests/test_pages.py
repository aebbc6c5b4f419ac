"""What the pages of docs/ say about the code is what the code says."""

import importlib.util
import json
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest

from eval.benchmarks import BENCHMARKS
from lalm.catalog import LALMS
from lalm.served_models import read_served_models
from services.catalog import ASRS, CAPTIONERS, LLMS

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
CATALOGUES: Mapping[str, Mapping[str, object]] = {
    "LLMs": LLMS,
    "Captioners": CAPTIONERS,
    "ASR": ASRS,
    "LALMs": LALMS,
}


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated_parts", DOCS / "tools" / "generated_parts.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GENERATE = generator()


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_generated_parts_are_as_make_docs_writes_them(page: Path) -> None:
    text = page.read_text()
    assert text == GENERATE.fill_parts(text), "run `make docs`"


def test_the_tree_holds_every_file_of_the_packages() -> None:
    on_disk = [
        path.name
        for package in GENERATE.PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.suffix in GENERATE.LISTED and path.name != "__init__.py"
    ]
    listed = re.findall(r"<li><code>(\S+)</code>", (DOCS / "architecture.md").read_text())
    assert sorted(listed) == sorted(on_disk)


@pytest.mark.parametrize("section", CATALOGUES)
def test_every_model_of_a_catalogue_is_on_the_page(section: str) -> None:
    assert names_in(DOCS / "models.md", section) == set(CATALOGUES[section])


def test_every_benchmark_is_on_its_page() -> None:
    table = (DOCS / "benchmarks.md").read_text().split("\n## ")[0]
    cells = re.findall(r"^\| (`[^|]*) \|", table, re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`([^`-][^`]*)`", cell)} == set(BENCHMARKS)


def test_every_hub_id_on_the_page_is_one_of_the_catalogues() -> None:
    source = (ROOT / "services/catalog.py").read_text() + json.dumps([m.weights for m in read_served_models().values()])
    ids = re.findall(r"^\|[^|]+\| `([\w.-]+/[\w.-]+)`", (DOCS / "models.md").read_text(), re.MULTILINE)
    assert len(ids) > 20
    assert [one for one in ids if f'"{one}"' not in source] == []


def names_in(page: Path, section: str) -> set[str]:
    """Return the names in the first column of a section's table."""
    text = page.read_text().split(f"\n## {section}\n")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


@pytest.mark.parametrize("page", [*sorted(DOCS.glob("*.md")), ROOT / "CONTRIBUTING.md"], ids=lambda page: page.name)
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = re.findall(r"`(\w+/[\w./-]+\.(?:py|json|yaml|md))`", page.read_text())
    folders = {*GENERATE.PACKAGES, "tests", "benchmarks"}
    assert [one for one in named if one.split("/")[0] in folders and not (ROOT / one).exists()] == []
