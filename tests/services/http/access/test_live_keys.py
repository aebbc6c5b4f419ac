"""Keys that are added and revoked while the service runs."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from services.http.access.auth import ApiKeys, make_key
from services.http.access.guard import Guard
from services.http.access.limits import PerKey
from services.http.access.live_keys import LiveKeys
from services.settings import read_settings

(ALICE, ALICES), (BOB, BOBS) = make_key("alice"), make_key("bob")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("EARWITNESS_API_KEYS_FILE", str(tmp_path / "hashes"))
    read_settings.cache_clear()
    yield tmp_path / "hashes"
    read_settings.cache_clear()


def write(file: Path, *lines: str) -> None:
    """Replace the file as the kubelet does: by another one."""
    new = file.with_name("new")
    new.write_text("\n".join(lines))
    new.replace(file)


def test_a_key_that_is_added_counts_and_a_revoked_one_no_longer(file: Path) -> None:
    write(file, ALICES.to_line())
    keys = LiveKeys(ApiKeys((ALICES,)), count(1.0).__next__)
    assert (keys.read_current().find_owner(ALICE), keys.read_current().find_owner(BOB)) == ("alice", None)
    write(file, ALICES.to_line(), BOBS.to_line())
    assert (keys.read_current().find_owner(ALICE), keys.read_current().find_owner(BOB)) == ("alice", "bob")
    write(file, BOBS.to_line())
    assert (keys.read_current().find_owner(ALICE), keys.read_current().find_owner(BOB)) == (None, "bob")


@pytest.mark.parametrize("left", ["", None], ids=["an empty file", "no file"])
def test_without_the_last_key_nobody_comes_in(file: Path, left: str | None) -> None:
    write(file, ALICES.to_line())
    keys = LiveKeys(ApiKeys((ALICES,)), count(1.0).__next__)
    assert keys.read_current().find_owner(ALICE) == "alice"
    write(file, left) if left is not None else file.unlink()
    assert bool(keys.read_current()) is True
    assert keys.read_current().find_owner(ALICE) is None


def test_a_file_that_cannot_be_read_changes_nothing(file: Path) -> None:
    write(file, ALICES.to_line())
    keys = LiveKeys(ApiKeys((ALICES,)), count(1.0).__next__)
    assert keys.read_current().find_owner(ALICE) == "alice"
    write(file, "half a li")
    assert keys.read_current().find_owner(ALICE) == "alice"


def test_a_service_without_keys_asks_for_one_from_the_first_on(file: Path) -> None:
    keys = LiveKeys(ApiKeys(), count(1.0).__next__)
    assert not keys.read_current()
    write(file, BOBS.to_line())
    assert keys.read_current() and keys.read_current().find_owner(BOB) == "bob"


def test_the_file_is_looked_at_once_a_second(file: Path) -> None:
    write(file, ALICES.to_line())
    keys = LiveKeys(ApiKeys((ALICES,)), lambda: 5.0)
    assert keys.read_current().find_owner(ALICE) == "alice"
    write(file, BOBS.to_line())
    assert keys.read_current().find_owner(ALICE) == "alice"


def test_the_guard_takes_up_the_keys_of_the_file(file: Path) -> None:
    write(file, ALICES.to_line())
    guard = Guard(Starlette(), LiveKeys(ApiKeys((ALICES,)), count(1.0).__next__), PerKey())
    with TestClient(guard) as client:
        assert client.get("/", headers={"x-api-key": ALICE}).status_code == 404
        write(file, BOBS.to_line())
        assert client.get("/", headers={"x-api-key": ALICE}).status_code == 401
        assert client.get("/", headers={"x-api-key": BOB}).status_code == 404
