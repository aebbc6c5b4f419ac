"""Configurations of studies."""

from pathlib import Path

import pytest

from eval.benchmarks import BENCHMARKS
from eval.study.config import StudyModel, read_study
from services.catalog import CAPTIONERS, LLMS
from services.errors import BadConfig


def write(folder: Path, *lines: str) -> Path:
    file = folder / "study.yaml"
    file.write_text("\n".join(lines))
    return file


def test_a_bare_name_is_a_model_that_runs_here(tmp_path: Path) -> None:
    lines = ("llms: [phi-4, {name: phi-4, url: 'http://host/v1', row: served}]", "benchmarks: [akb-open]")
    config = read_study(write(tmp_path, *lines))
    assert config.llms == (StudyModel(name="phi-4"), StudyModel(name="phi-4", url="http://host/v1", row="served"))
    assert [model.title for model in config.llms] == ["phi-4", "served"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["benchmarks: [akb-open]"], "key 'llms' is missing"),
        (["llms: []", "benchmarks: [akb-open]"], "llms: List should have at least 1 item"),
        (["llms: [a, a]", "benchmarks: [x]"], "'a' is there twice; give each a row of its own"),
        (["llms: [a]", "benchmarks: [x, x]"], "'x' is there twice; name it once"),
        (["llms: [a]", "benchmarks: [x]", "paths: [telepathy]"], "paths.0 = 'telepathy'"),
        (["llms: [a]", "benchmarks: [x]", "price: cheap"], "price = 'cheap': 'cheap' is not a price"),
        (["llms: [a]", "benchmark: [x]"], "unknown key 'benchmark'; did you mean 'benchmarks'?"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, lines: list[str], said: str) -> None:
    with pytest.raises(BadConfig) as raised:
        read_study(write(tmp_path, *lines))
    assert said in str(raised.value)


@pytest.mark.parametrize("name", ["study.example.yaml", "study.paper.yaml"])
def test_the_studies_of_the_package_name_what_exists(name: str) -> None:
    config = read_study(Path(name))
    assert {model.name for model in config.llms} <= LLMS.keys()
    assert set(config.captioners) <= CAPTIONERS.keys()
    assert all(benchmark in BENCHMARKS or benchmark.endswith(".json") for benchmark in config.benchmarks)


def test_the_papers_study_has_its_seventeen_llms() -> None:
    assert len(read_study(Path("study.paper.yaml")).llms) == 12 + 5
