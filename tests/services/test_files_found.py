"""A file is found whichever way its name composes accented letters."""

import unicodedata
from pathlib import Path

import pytest

from services.files import find_file

NAMES = ("ä b.wav", "Ångström/é.wav", "한국어/소리.flac", "が.wav")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("given", "stored"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFC", "NFC"), ("NFD", "NFD")])
def test_a_name_is_found_in_either_form(tmp_path: Path, name: str, given: str, stored: str) -> None:
    file = tmp_path / unicodedata.normalize(stored, name)  # type: ignore[arg-type]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    asked = unicodedata.normalize(given, name)  # type: ignore[arg-type]
    assert find_file(tmp_path, asked) == file
    assert find_file(tmp_path, f"./{asked}") == file
    assert find_file(Path("elsewhere"), str(tmp_path / asked)) == file


def test_an_exact_name_comes_first(tmp_path: Path) -> None:
    for form in ("NFC", "NFD"):
        (tmp_path / unicodedata.normalize(form, "ü.wav")).touch()  # type: ignore[arg-type]
    for form in ("NFC", "NFD"):
        name = unicodedata.normalize(form, "ü.wav")  # type: ignore[arg-type]
        assert find_file(tmp_path, name).name == name


def test_what_is_not_there_keeps_its_name(tmp_path: Path) -> None:
    assert find_file(tmp_path, "ö/ä.wav") == tmp_path / "ö/ä.wav"
