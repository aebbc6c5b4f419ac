"""Atomic and durable file writing."""

import errno
import os
import resource
import unicodedata
from pathlib import Path

import pytest

from services.files import find_file, is_folder, replace_atomically, share_files, sync_to_disk, write_atomic


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files and folders that were made durable, in order."""
    paths: list[Path] = []

    def fsync(descriptor: int) -> None:
        paths.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", fsync)
    return paths


@pytest.mark.parametrize("content", ["Größe\r\n", "Größe\r\n".encode()])
def test_a_file_is_replaced_whole(tmp_path: Path, content: str | bytes, synced: list[Path]) -> None:
    path = tmp_path / "run.json"
    path.write_text("before")
    write_atomic(path, content)
    assert path.read_bytes() == "Größe\r\n".encode()
    assert list(tmp_path.iterdir()) == [path]
    assert not synced


def half_written(target: Path, source: Path) -> None:
    """Fail after half of a file is written."""
    target.write_text("half of")
    source.read_bytes()


def test_a_write_that_fails_leaves_the_old_file_and_no_draft(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text("before")
    with pytest.raises(FileNotFoundError, match="sources"), replace_atomically(path) as draft:
        half_written(draft, tmp_path / "sources")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_drafts_of_the_same_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with replace_atomically(path) as first, replace_atomically(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"


def test_a_durable_file_is_on_disk_before_its_name_is(tmp_path: Path, synced: list[Path]) -> None:
    write_atomic(tmp_path / "run.json", "{}", durable=True)
    draft, folder = synced
    assert draft.name.startswith(".run.json.")
    assert folder == tmp_path


def test_what_was_appended_is_on_disk(tmp_path: Path, synced: list[Path]) -> None:
    path = tmp_path / "predictions.jsonl"
    with path.open("ab") as file:
        file.write(b"{}\n")
        sync_to_disk(file)
        assert path.read_bytes() == b"{}\n"
    assert synced == [path]


def test_a_name_that_no_folder_can_have_is_none(tmp_path: Path) -> None:
    assert is_folder(str(tmp_path))
    assert not any(is_folder(name) for name in ("x" * 5000, "a\0b", str(tmp_path / "absent")))


def test_a_full_disk_is_an_error_that_names_the_file(tmp_path: Path) -> None:
    path, (soft, hard) = tmp_path / "run.json", resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(OSError, match=r"run\.json") as caught:
            write_atomic(path, bytes(1_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.errno == errno.EFBIG
    assert not list(tmp_path.iterdir())


def test_files_that_a_library_wrote_for_their_owner_get_the_mode_of_new_ones(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    private, usual = tmp_path / "inner" / "model.safetensors", tmp_path / "new"
    private.touch(mode=0o600)
    usual.touch()
    share_files(tmp_path)
    assert private.stat().st_mode == usual.stat().st_mode
    assert {path.name for path in tmp_path.iterdir()} == {"inner", "new"}


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("is_absolute", [False, True])
def test_a_file_is_found_however_its_name_is_composed(tmp_path: Path, form: str, *, is_absolute: bool) -> None:
    other = "NFD" if form == "NFC" else "NFC"
    there = tmp_path / unicodedata.normalize(form, "café") / unicodedata.normalize(form, "Übung.wav")
    there.parent.mkdir()
    there.touch()
    (there.parent / "Umweg.wav").touch()
    named = unicodedata.normalize(other, "café/Übung.wav")
    asked = str(tmp_path / named) if is_absolute else named
    found = find_file(tmp_path, asked)
    assert found.samefile(there)
    assert found == there


def test_a_file_that_is_not_there_keeps_the_name_that_it_was_given(tmp_path: Path) -> None:
    assert find_file(tmp_path, "é.wav") == tmp_path / "é.wav"
    (tmp_path / unicodedata.normalize("NFD", "é")).mkdir()
    assert find_file(tmp_path, "é/absent.wav") == tmp_path / "é" / "absent.wav"
