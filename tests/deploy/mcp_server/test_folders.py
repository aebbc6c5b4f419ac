"""Which files an MCP client may name: those below the folders, wherever the path goes through."""

import os
from pathlib import Path
from typing import Literal, TypeAlias
from unicodedata import normalize

import pytest

from deploy.mcp_server import folders
from deploy.mcp_server.folders import AllowedFolders
from services.errors import BadConfig, BadRequest

Form: TypeAlias = Literal["NFC", "NFD"]
WAVE = b"RIFF\x24\x00\x00\x00WAVEfmt "


@pytest.fixture
def takes(tmp_path: Path) -> Path:
    """Return a folder with recordings, beside one that may not be read, and links from the first to the second."""
    for name in ("takes/a.wav", "takes/inner/b c.wav", "takes/notes.txt", "takes-private/secret.wav"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(WAVE if path.suffix == ".wav" else b"notes")
    inside, private = tmp_path / "takes", tmp_path / "takes-private"
    (inside / "link.wav").symlink_to(inside / "a.wav")
    (inside / "out.wav").symlink_to(private / "secret.wav")
    (inside / "folder-out").symlink_to(private)
    (inside / "loop.wav").symlink_to(inside / "loop.wav")
    (inside / "dangling.wav").symlink_to(private / "nothing.wav")
    os.mkfifo(inside / "pipe.wav")
    return inside


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a.wav", "a.wav"),
        ("inner/b c.wav", "inner/b c.wav"),
        ("inner/../a.wav", "a.wav"),
        ("../takes/a.wav", "a.wav"),
        ("./link.wav", "a.wav"),
        ("a.wav/", "a.wav"),
        ("{takes}/a.wav", "a.wav"),
    ],
)
def test_a_recording_below_a_folder_is_found(takes: Path, name: str, found: str) -> None:
    assert AllowedFolders([takes]).find(name.format(takes=takes)) == takes / found


@pytest.mark.parametrize(
    "name",
    [
        "../takes-private/secret.wav",
        "inner/../../takes-private/secret.wav",
        "{takes}/../takes-private/secret.wav",
        "{takes}-private/secret.wav",
        "/etc/passwd",
        "/proc/self/environ",
        "~/.bashrc",
        "file:///etc/passwd",
        "out.wav",
        "folder-out/secret.wav",
        "loop.wav",
        "dangling.wav",
        "pipe.wav",
        "inner",
        "",
        ".",
        "a.wav\0.txt",
        "%2e%2e/takes-private/secret.wav",
        "..\\takes-private\\secret.wav",
    ],
)
def test_whatever_lies_elsewhere_is_refused_as_if_it_were_not_there(takes: Path, name: str) -> None:
    named = name.format(takes=takes)
    with pytest.raises(BadRequest) as caught:
        AllowedFolders([takes]).find(named)
    assert str(caught.value) == f"No recording {named!r} below '{takes}'."


def test_a_name_that_is_longer_than_any_file_has_is_quoted_in_part(takes: Path) -> None:
    with pytest.raises(BadRequest) as caught:
        AllowedFolders([takes]).find("x" * 5000)
    assert str(caught.value) == f"No recording '{'x' * 255}…' below '{takes}'."


@pytest.mark.parametrize(("kept", "named"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_accents_may_be_named_in_either_form_of_unicode(takes: Path, kept: Form, named: Form) -> None:
    name = "Café Müller.wav"
    (takes / normalize(kept, name)).write_bytes(WAVE)
    assert AllowedFolders([takes]).find(normalize(named, name)).name == normalize(kept, name)


def test_a_folder_that_is_itself_a_link_is_what_it_points_to(takes: Path, tmp_path: Path) -> None:
    (tmp_path / "alias").symlink_to(takes)
    assert AllowedFolders([tmp_path / "alias"]).find("a.wav") == takes / "a.wav"


def test_recordings_are_listed_by_names_that_are_found_and_links_out_are_not(
    takes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = AllowedFolders([takes])
    assert one.list_names().names == ("a.wav", "inner/b c.wav", "link.wav")
    both = AllowedFolders([takes, tmp_path / "takes-private", takes])
    assert all(both.find(name) for name in both.list_names().names)
    assert len(both.list_names().names) == 4
    assert not both.list_names().is_cut_off
    monkeypatch.setattr(folders, "MOST_LISTED", 2)
    assert len(both.list_names().names) == 2 and both.list_names().is_cut_off


def test_what_lies_below_two_of_the_folders_is_listed_once(takes: Path) -> None:
    names = AllowedFolders([takes, takes / "inner"]).list_names().names
    assert sorted(names) == [str(takes / name) for name in ("a.wav", "inner/b c.wav", "link.wav")]


def test_without_a_folder_that_exists_nothing_is_served(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="No folder is named"):
        AllowedFolders([])
    with pytest.raises(BadConfig, match="nothing' is not a folder: name one that exists with --folder DIR"):
        AllowedFolders([tmp_path / "nothing"])


def test_a_recording_whose_name_is_not_utf8_is_counted_and_the_others_are_listed(takes: Path) -> None:
    (takes / os.fsdecode(b"\xff.wav")).write_bytes(WAVE)
    listed = AllowedFolders([takes]).list_names()
    assert listed.names == ("a.wav", "inner/b c.wav", "link.wav")
    assert listed.num_unnameable == 1


def test_a_folder_whose_path_is_not_utf8_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / os.fsdecode(b"\xff")
    folder.mkdir()
    with pytest.raises(BadConfig, match="not UTF-8"):
        AllowedFolders([folder])
