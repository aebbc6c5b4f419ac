"""`earwitness keys`: a file that its owner alone reads, from which one key goes and the others stay as they are."""

from pathlib import Path

import pytest

from deploy.console.keys import add_key, remove_key
from services.errors import BadConfig
from services.http.access.auth import read_keys
from services.settings import read_settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return where keys are kept: in a folder that is not there yet."""
    path = tmp_path / "new" / "folder" / "keys"
    monkeypatch.setenv("EARWITNESS_API_KEYS_FILE", str(path))
    read_settings.cache_clear()
    return path


def test_a_key_is_added_behind_those_there_are_and_only_its_owner_reads_the_file(file: Path) -> None:
    made = [add_key(name) for name in ("alice", "bob", "al")]
    assert [one.path for one in made] == [file] * 3
    assert [line.split()[0] for line in file.read_text().splitlines()] == ["alice", "bob", "al"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert [read_keys().find_owner(one.secret) for one in made] == ["alice", "bob", "al"]
    with pytest.raises(BadConfig, match="has a key named 'bob' already: choose another name, or `earwitness keys rev"):
        add_key("bob")


def test_a_revoked_key_goes_and_the_other_lines_stay(file: Path) -> None:
    for name in ("alice", "al", "bob"):
        add_key(name)
    lines = file.read_text().splitlines(keepends=True)
    assert remove_key("al") == file
    assert file.read_text() == lines[0] + lines[2]
    assert file.stat().st_mode & 0o777 == 0o600
    for name in ("alice", "bob"):
        remove_key(name)
    assert file.read_text() == ""  # and not absent: a server that is told of the file would ask for no key


def test_a_file_that_cannot_be_written_is_one_line(file: Path) -> None:
    file.parent.parent.mkdir(parents=True, exist_ok=True)
    file.parent.write_text("in the way")
    with pytest.raises(BadConfig, match=r"keys' cannot hold a key: "):
        add_key("alice")
