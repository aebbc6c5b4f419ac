"""API keys at rest: only hashes, and a mistake in the file never opens the server."""

from hashlib import sha256
from pathlib import Path

import pytest

from deploy.console.keys import add_key
from services.errors import BadConfig
from services.http.access import auth
from services.http.access.auth import ApiKeys, make_key, read_keys
from services.settings import read_settings


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("EARWITNESS_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EARWITNESS_API_KEYS_FILE", raising=False)
    read_settings.cache_clear()
    return tmp_path / "home"


def test_a_new_key_is_kept_as_its_hash_alone(home: Path) -> None:
    made = add_key("alice")
    assert made.path == home / "api-keys"
    assert made.path.read_text() == f"alice {sha256(made.secret.encode()).hexdigest()}\n"
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert len(made.secret) >= 43
    assert made.secret not in repr(read_keys())


def test_each_key_has_its_owner() -> None:
    secrets = {name: add_key(name).secret for name in ("alice", "bob")}
    keys = read_keys()
    assert {name: keys.find_owner(secret) for name, secret in secrets.items()} == {"alice": "alice", "bob": "bob"}
    wrong = ["", " ", "alice", secrets["bob"][:-1], secrets["bob"] + " ", keys.keys[0].sha256, "ä\udcff"]
    assert [keys.find_owner(presented) for presented in wrong] == [None] * len(wrong)


def test_every_key_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    made = [make_key(name) for name in ("a", "b", "c")]
    compared = []
    real = auth.hmac.compare_digest
    monkeypatch.setattr(auth.hmac, "compare_digest", lambda one, other: compared.append(one) or real(one, other))
    assert ApiKeys(tuple(key for _, key in made)).find_owner(made[0][0]) == "a"
    assert compared == [key.sha256 for _, key in made]


def test_without_a_file_there_are_no_keys() -> None:
    assert not read_keys()


@pytest.mark.parametrize("content", ["", "# nobody\n\n", "ew-a-key-in-the-clear", "alice 1234", None])
def test_a_file_without_keys_does_not_open_the_server(
    content: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "keys"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv("EARWITNESS_API_KEYS_FILE", str(path))
    read_settings.cache_clear()
    with pytest.raises(BadConfig) as error:
        read_keys()
    assert "in-the-clear" not in str(error.value)


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "x" * 65, "ä"])
def test_a_name_stays_within_its_line(name: str) -> None:
    with pytest.raises(BadConfig, match="cannot name a key"):
        add_key(name)


def test_a_name_is_taken_once() -> None:
    add_key("alice")
    with pytest.raises(BadConfig, match="a key named 'alice' already"):
        add_key("alice")


def test_a_file_that_cannot_be_read_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("EARWITNESS_API_KEYS_FILE", str(tmp_path / "none"))
    read_settings.cache_clear()
    with pytest.raises(BadConfig, match=r"^The API keys in '.*none' cannot be read: No such file or directory\.$"):
        read_keys()
    (tmp_path / "none").write_bytes(b"# keys\nalice \xff\xe9\n")
    with pytest.raises(BadConfig, match=r"^The API keys in '.*none', line 2 is not UTF-8"):
        read_keys()
