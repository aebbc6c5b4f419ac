"""Downloads: how much of one has arrived, while pip creates and removes its folders."""

from pathlib import Path
from threading import Event, Thread

from services.weights.download import measure_folder


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
