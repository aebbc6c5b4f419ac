"""Models and keys on this machine: listed, checked, removed, and what goes to which stream."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.console import stock
from lalm.served_models import read_served_models
from services.catalog import DEFAULT_LLM, LLMS
from services.errors import BadConfig
from services.http.access.auth import read_keys
from services.weights import store as weights

Run = Callable[..., int]


def test_models_are_listed_with_size_licence_publisher_and_state(capfd: pytest.CaptureFixture[str], run: Run) -> None:
    assert run("models", "list") == 0
    line = next(line for line in capfd.readouterr().out.splitlines() if line.startswith("basic-pitch"))
    assert line.split() == ["basic-pitch", "captioner", "1", "absent", "Apache-2.0", "Spotify"]


def test_the_models_that_are_needed_can_all_be_had_without_a_hub() -> None:
    assert {"whisper-base", "yamnet", "demo-speech"} <= set(stock.list_needed())
    assert all(weights.find_weights(name).wheels for name in stock.list_needed())
    llms = {name for name in stock.list_needed() if weights.find_weights(name).kind in {"LLM", "backbone"}}
    assert llms == {DEFAULT_LLM, stock.DEFAULT_BACKBONE}


def test_names_whose_request_form_was_read_nowhere_are_marked() -> None:
    marked = {known.name: known.is_checked for known in stock.list_known()}
    unread = {name for name, model in read_served_models().items() if model.read_on is None}
    assert unread and {name for name, is_checked in marked.items() if not is_checked} == unread


def test_verify_names_the_changed_file(capfd: pytest.CaptureFixture[str], run: Run) -> None:
    place = weights.locate("yamnet")
    place.mkdir(parents=True)
    (place / "model.onnx").write_bytes(b"changed")
    (place / weights.MANIFEST).write_text(json.dumps({"model.onnx": "0" * 64}))
    assert run("models", "verify") == 2
    told = capfd.readouterr()
    assert told.out == "yamnet: model.onnx changed\n"
    assert "Damaged: yamnet. `earwitness models pull yamnet` repairs them." in told.err
    assert run("models", "verify", "basic-pitch") == 2
    assert "`earwitness models pull basic-pitch` fetches them." in capfd.readouterr().err


def test_a_new_key_is_printed_once_and_alone_on_stdout(
    capfd: pytest.CaptureFixture[str], tmp_path: Path, run: Run
) -> None:
    assert run("keys", "new", "alice") == 0
    said = capfd.readouterr()
    assert read_keys().find_owner(said.out.strip()) == "alice"
    assert said.out.strip() not in said.err


def test_every_name_of_a_model_is_listed(capfd: pytest.CaptureFixture[str], run: Run) -> None:
    assert run("models", "list", "--all") == 0
    lines = capfd.readouterr().out.splitlines()
    assert "--captioner\tacoustic\there" in lines
    assert {f"--llm\t{name}" for name in LLMS} <= {line.rpartition("\t")[0] for line in lines}


def test_removed_models_are_gone_in_every_revision(capfd: pytest.CaptureFixture[str], run: Run) -> None:
    for revision in ("0123456789ab", weights.find_weights("ina").revision):
        folder = weights.locate("ina").with_name(f"ina-{revision}")
        folder.mkdir(parents=True)
        (folder / "model.onnx").write_bytes(bytes(1_000_000))
    neighbour = weights.locate("ina").with_name("ina-more-0123456789ab")
    neighbour.mkdir()
    assert run("models", "rm", "ina") == 0
    assert capfd.readouterr().out == "ina: removed, 2 MB\n"
    assert neighbour.is_dir() and weights.check_state("ina") == "absent"
    assert run("models", "rm", "ina") == 2


@pytest.mark.slow
def test_a_revoked_key_opens_nothing(capfd: pytest.CaptureFixture[str], run: Run) -> None:
    keys = {}
    for name in ("alice", "bob"):
        run("keys", "new", name)
        keys[name] = capfd.readouterr().out.strip()
    assert run("keys", "revoke", "alice") == 0
    assert (read_keys().find_owner(keys["alice"]), read_keys().find_owner(keys["bob"])) == (None, "bob")
    capfd.readouterr()
    assert run("keys", "list") == 0
    assert capfd.readouterr().out == "bob\n"
    assert run("keys", "revoke", "alice") == 2
    assert "There is no key named 'alice'; known: bob." in capfd.readouterr().err
    run("keys", "revoke", "bob")
    with pytest.raises(BadConfig, match="holds no API key"):
        read_keys()


def test_models_of_installed_packages_are_listed_behind_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock, "list_extensions", lambda kind: ("bell", "acoustic") if kind == "captioner" else ())
    captioners = [known for known in stock.list_known() if known.option == "--captioner"]
    assert captioners[-1] == ("--captioner", "bell", None, True)
    assert [known.name for known in captioners].count("acoustic") == 1
