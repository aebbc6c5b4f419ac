"""Items about several recordings: how they are read and written, where their clips lie, and what they share."""

import json
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark, Item, join_sources


def make_item(name: str, *audio: str, cluster: str = "") -> Item:
    choices = ("a", "b")
    return Item(id=name, audio=audio, question="?", choices=choices, answer="a", task="sound", cluster=cluster)


def make_benchmark(folder: Path, *items: Item) -> Benchmark:
    return Benchmark(name="ours", file=folder / "ours.json", sha256="0", audio_root=folder, items=items)


def test_one_recording_is_written_as_a_text_as_run_folders_have_it() -> None:
    written = [json.loads(make_item("x", *audio).model_dump_json())["audio"] for audio in ((), ("a",), ("a", "b"))]
    assert written == ["", "a", ["a", "b"]]
    for audio in written:
        known = make_item("x").model_dump() | {"audio": audio}
        assert Item.model_validate_json(json.dumps(known)).model_dump()["audio"] == audio


def test_items_that_are_linked_by_recordings_share_a_cluster() -> None:
    items = join_sources(
        [
            *(make_item("1", "a", "b"), make_item("2", "c"), make_item("3", "b", "c"), make_item("4", "d")),
            *(make_item("5", "d"), make_item("6", "e", "f"), make_item("7", "a", "e", cluster="a video")),
        ]
    )
    assert [item.source for item in items] == ["a", "a", "a", "d", "d", "e", "a video"]


def test_an_item_lacks_its_audio_where_one_of_its_clips_is_absent(tmp_path: Path) -> None:
    (tmp_path / "a.wav").touch()
    benchmark = make_benchmark(tmp_path, make_item("1", "a.wav"), make_item("2", "a.wav", "b.wav"))
    assert [item.id for item in benchmark.find_lacking_audio()] == ["2"]
    assert f"1 of 2 items lacks its audio, the first at {tmp_path / 'b.wav'}" in benchmark.describe_missing_audio()


def test_leading_folders_are_dropped_from_all_clips_of_an_item(tmp_path: Path) -> None:
    for name in ("a.wav", "b.wav"):
        (tmp_path / name).touch()
    benchmark = make_benchmark(tmp_path, make_item("1", "data/set/a.wav", "data/set/b.wav")).locate_clips()
    assert benchmark.find_clips(benchmark.items[0]) == (tmp_path / "a.wav", tmp_path / "b.wav")
