"""A configuration that cannot lie."""

from pathlib import Path

import pytest

from services.errors import BadConfig
from services.types import Value
from services.yaml_file import read_config


class Part(Value):
    rate: float = 1.0
    depth: int = 2


class Whole(Value):
    name: str
    part: Part = Part()
    parts: tuple[Part, ...] = ()


def read(tmp_path: Path, text: str) -> Whole:
    path = tmp_path / "run.yaml"
    path.write_text(text)
    return read_config(path, Whole)


def test_a_file_is_read_with_its_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "name: a\npart: {rate: 0.5}") == Whole(name="a", part=Part(rate=0.5))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name: a\nprat: {}", "unknown key 'prat'; did you mean 'part'?"),
        ("nam: a", "unknown key 'nam'; did you mean 'name'?"),
        ("name: a\npart: {rat: 3}", "unknown key 'part.rat'; did you mean 'rate'?"),
        ("name: a\nparts: [{dept: 3}]", "unknown key 'parts.0.dept'; did you mean 'depth'?"),
        ("name: a\nxyz: 1", "unknown key 'xyz'; known: name, part, parts."),
        ("part: {}", "key 'name' is missing."),
        ("name: a\npart: {depth: deep}", "part.depth = 'deep': Input should be a valid integer"),
        ("", "holds no keys. Known: name, part, parts."),
        ("name: [", "is not YAML"),
        ("name: 2026-13-45", "is not YAML: month must be in 1..12."),
        (f"name: {'[' * 1000}", "is nested too deeply."),
    ],
)
def test_the_error_of_a_faulty_file_says_what_would_work(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(BadConfig) as caught:
        read(tmp_path, text)
    assert reason in str(caught.value)
    assert "run.yaml'" in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"none\.yaml' cannot be read: No such file"):
        read_config(tmp_path / "none.yaml", Whole)


@pytest.mark.parametrize("text", ["name: a\nname: b", "name: a\npart: {rate: 1.0, rate: 2.0}"])
def test_a_key_that_is_given_twice_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadConfig, match="is given twice"):
        read(tmp_path, text)


def test_a_merged_key_may_be_given_again(tmp_path: Path) -> None:
    text = "name: a\npart: &usual {rate: 0.5, depth: 3}\nparts: [{<<: *usual, rate: 0.7}]"
    assert read(tmp_path, text).parts == (Part(rate=0.7, depth=3),)
