"""Extensions without a fork: tables of included files, and entry points of installed packages."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from eval.benchmarks import find
from services.catalog import ASRS, CAPTIONERS, LLMS, open_llm, pick
from services.errors import BadConfig, UnknownName
from services.extensions import registry
from services.extensions.registry import include_files, list_extensions

CAPTIONER = '''"""A captioner."""

from services.types import Evidence


class Bell:
    name, revision = "bell", "1"

    async def caption(self, clip, focus=None):
        return (Evidence(kind="sound", source=self.name, revision=self.revision, text="A bell."),)
'''
TABLE = 'CAPTIONERS = {"bell": Bell}\n'


@pytest.fixture(autouse=True)
def _apart(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Leave what this process has included as it was."""
    monkeypatch.setattr(registry, "_tables", {})
    monkeypatch.setattr(registry, "_contents", {})
    modules = set(sys.modules)
    yield
    for name in set(sys.modules) - modules:
        if name.startswith(("earwitness_include", "bell_package")):
            del sys.modules[name]


def write(path: Path, *parts: str) -> str:
    path.write_text("".join(parts))
    return str(path)


def test_a_captioner_of_an_included_file_can_be_named(tmp_path: Path) -> None:
    include_files([write(tmp_path / "bell.py", CAPTIONER, TABLE)])
    assert pick(CAPTIONERS, "captioner", "bell")().name == "bell"


def test_the_same_file_is_run_again_only_when_it_has_changed(tmp_path: Path) -> None:
    file = write(tmp_path / "bell.py", CAPTIONER, TABLE)
    include_files([file])
    first = pick(CAPTIONERS, "captioner", "bell")
    include_files([file])
    assert pick(CAPTIONERS, "captioner", "bell") is first
    write(tmp_path / "bell.py", CAPTIONER.replace('"1"', '"2"'), TABLE)
    include_files([file])
    assert pick(CAPTIONERS, "captioner", "bell")().revision == "2"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("X = 1\n", "defines none of LLMS, CAPTIONERS, ASRS, LALMS, BENCHMARKS"),
        ("CAPTIONERS = ['bell']\n", "CAPTIONERS in '.*' has to be a dict, name -> a function or class"),
        ("CAPTIONERS = {'bell': 'Bell'}\n", "has to be a dict, name -> a function or class"),
        (
            "import no_such_package\n",
            r"failed: ModuleNotFoundError: No module named 'no_such_package' \(bell.py, line 1\)",
        ),
        ("CAPTIONERS = {\n", "failed: SyntaxError"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(content: str, named: str, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=named):
        include_files([write(tmp_path / "bell.py", content)])


@pytest.mark.parametrize(("name", "named"), [("none.py", "There is no file"), ("bell.txt", "not a Python file")])
def test_what_is_not_a_python_file_is_refused(name: str, named: str, tmp_path: Path) -> None:
    write(tmp_path / "bell.txt", TABLE)
    with pytest.raises(BadConfig, match=named):
        include_files([str(tmp_path / name)])


def test_two_files_do_not_name_the_same_model(tmp_path: Path) -> None:
    files = [write(tmp_path / name, CAPTIONER, TABLE) for name in ("one.py", "two.py")]
    with pytest.raises(BadConfig, match=r"two.py' and '.*one.py' both name the captioner 'bell'"):
        include_files(files)


def test_a_file_cannot_take_the_place_of_a_model_of_ours(tmp_path: Path) -> None:
    include_files([write(tmp_path / "bell.py", CAPTIONER, 'CAPTIONERS = {"acoustic": Bell}\n')])
    with pytest.raises(BadConfig, match="names the captioner 'acoustic', which is one of ours"):
        pick(CAPTIONERS, "captioner", "acoustic")


def test_an_included_llm_comes_before_a_server_of_that_name(tmp_path: Path) -> None:
    content = """
from services.scripted.llm import ScriptedLLM

LLMS = {"mine": lambda url, sampling=None: ScriptedLLM(lambda prompt: "B", name=f"at {url}")}
"""
    include_files([write(tmp_path / "mine.py", content)])
    assert open_llm("mine", "http://127.0.0.1:1/v1").name == "at http://127.0.0.1:1/v1"


def test_a_benchmark_of_an_included_file_has_to_be_one(tmp_path: Path) -> None:
    include_files([write(tmp_path / "mine.py", "BENCHMARKS = {'mine': lambda audio_root: 'questions'}\n")])
    with pytest.raises(BadConfig, match="The benchmark 'mine' breaks its protocol: it is a str, not a Benchmark"):
        find("mine")


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on sys.path, with a package that offers a captioner under `bell`."""
    (tmp_path / "bell_package.py").write_text(CAPTIONER)
    install_points(tmp_path, "bell-package", "[earwitness.captioners]\nbell = bell_package:Bell\n")
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install_points(folder: Path, package: str, points: str) -> None:
    info = folder / f"{package.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)


def test_a_captioner_of_an_installed_package_can_be_named(install: Path) -> None:
    assert "bell_package" not in sys.modules
    assert pick(CAPTIONERS, "captioner", "bell")().name == "bell"
    assert list_extensions("captioner") == ("bell",)


def test_installed_packages_are_not_read_for_a_name_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda **_: pytest.fail("the entry points were read"))
    assert pick(ASRS, "ASR", "whisper-base") is ASRS["whisper-base"]


def test_a_wrong_name_lists_what_packages_offer(install: Path) -> None:
    with pytest.raises(UnknownName, match=r"No captioner named 'ball'\. Known: acoustic, .*, bell\."):
        pick(CAPTIONERS, "captioner", "ball")
    with pytest.raises(UnknownName, match="No LLM named 'bell'"):
        pick(LLMS, "LLM", "bell")


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("no_such_package:Bell", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("bell_package:Ball", "AttributeError: module 'bell_package' has no attribute 'Ball'"),
        ("bell_package:Evidence.model_fields", "is not a function or class that opens it"),
    ],
)
def test_an_entry_point_that_cannot_be_loaded_names_its_package(value: str, named: str, install: Path) -> None:
    install_points(install, "broken", f"[earwitness.captioners]\nbroken = {value}\n")
    with pytest.raises(BadConfig, match=f"the captioner 'broken' of package 'broken'.*{named}"):
        pick(CAPTIONERS, "captioner", "broken")


def test_two_packages_do_not_offer_the_same_name(install: Path) -> None:
    install_points(install, "other", "[earwitness.captioners]\nbell = bell_package:Bell\n")
    with pytest.raises(BadConfig, match="'bell' is offered by package 'bell-package' and package 'other'"):
        pick(CAPTIONERS, "captioner", "bell")
