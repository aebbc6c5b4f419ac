"""The shelf where its folder cannot be used: the cache is lost, with one line, and no answer."""

import errno
import logging
from pathlib import Path

import pytest

from services.cache import shelf
from services.cache.perception import STATEMENTS
from services.cache.shelf import DiskCache
from services.telemetry.log_lines import LOGGER
from services.types import Evidence

SAID = (Evidence(kind="sound", source="test", revision="1", text="A dog barks."),)


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> pytest.LogCaptureFixture:
    monkeypatch.setattr(LOGGER, "propagate", True)
    shelf._warn_once.cache_clear()
    caplog.set_level(logging.WARNING)
    return caplog


def test_what_was_stored_is_found_again(tmp_path: Path) -> None:
    store = DiskCache(tmp_path, STATEMENTS, 10_000)
    store.write("captions/a.json", SAID)
    assert store.read("captions/a.json") == SAID
    assert store.read("captions/b.json") is None


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
def test_a_disk_that_is_full_or_read_only_costs_one_line_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: pytest.LogCaptureFixture, reason: int
) -> None:
    def fail(path: Path, data: bytes) -> int:
        raise OSError(reason, "No room")

    monkeypatch.setattr(Path, "write_bytes", fail)
    store = DiskCache(tmp_path, STATEMENTS, 10_000)
    for name in ("captions/a.json", "captions/b.json"):
        store.write(name, SAID)
        assert store.read(name) is None
    assert [record.getMessage() for record in lines.records] == [
        f"The cache in '{tmp_path}' cannot be written (No room): what is heard and read now is not kept."
    ]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_where_the_folder_should_be_costs_the_cache_only(
    tmp_path: Path, lines: pytest.LogCaptureFixture
) -> None:
    home = tmp_path / "home"
    home.write_text("")
    store = DiskCache(home / "perception", STATEMENTS, 10_000)
    store.write("captions/a.json", SAID)
    assert store.read("captions/a.json") is None
    assert len(lines.records) == 1


def test_what_can_be_read_is_found_where_nothing_can_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = DiskCache(tmp_path, STATEMENTS, 10_000)
    store.write("captions/a.json", SAID)

    def fail(path: Path) -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "touch", fail)
    assert store.read("captions/a.json") == SAID


def test_a_bound_of_no_bytes_turns_the_disk_off(tmp_path: Path) -> None:
    DiskCache(tmp_path, STATEMENTS, 10_000).write("captions/a.json", SAID)
    store = DiskCache(tmp_path, STATEMENTS, 0)
    store.write("captions/b.json", SAID)
    assert [store.read(name) for name in ("captions/a.json", "captions/b.json")] == [None, None]
    assert [path.name for path in tmp_path.rglob("*.json")] == ["a.json"]
