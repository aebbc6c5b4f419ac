"""Clips are named by all their rows, and kept apart from those held back."""

from collections.abc import Callable
from pathlib import Path

from lalm.naming.clips import collect_labels, drop_shared_recordings, read_rows
from lalm.naming.config import RowFolder


def folder(path: Path) -> RowFolder:
    return RowFolder(file=Path(path.name), audio_root=Path(path.stem))


def test_labels_are_collected_in_lower_case_by_clip(tmp_path: Path, write_tones: Callable[..., Path]) -> None:
    one, other = write_tones("one", 1, seed=1), write_tones("other", 1, seed=2, labels=["A Bell", " whistle "])
    other.write_text(other.read_text().replace("bell0.wav", "../one/bell0.wav"))
    rows = read_rows([folder(one), RowFolder(file=Path("other.jsonl"), audio_root=Path("one"))], tmp_path)
    labels = {path.name: names for path, names in collect_labels(rows).items() if path.parent.name == "one"}
    assert labels["dog0.wav"] == {"dog", "a bell", "whistle"}


def test_rows_that_share_a_recording_or_a_clip_with_others_are_left_out(
    tmp_path: Path, write_tones: Callable[..., Path]
) -> None:
    one, other = write_tones("one", 2, seed=1), write_tones("other", 1, seed=2, recordings=["one dog1.wav"])
    rows, held = read_rows([folder(one)], tmp_path), read_rows([folder(other)], tmp_path)
    left = [row.clip.name for row in drop_shared_recordings(rows, held)]
    assert left == ["bell0.wav", "dog0.wav", "rain0.wav", "bell1.wav", "rain1.wav"]
    assert drop_shared_recordings(rows, rows) == []
