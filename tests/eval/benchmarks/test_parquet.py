"""Parquet files with recordings in their rows, as the Hub exports datasets."""

import json
import wave
from io import BytesIO
from pathlib import Path

import pytest

from eval.benchmarks import find, parquet
from services.environment import Settings
from services.errors import BadConfig

pyarrow = pytest.importorskip("pyarrow", reason="pip install 'earwitness[parquet]'")


def make_wav(num_samples: int) -> bytes:
    content = BytesIO()
    with wave.open(content, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * num_samples))
    return content.getvalue()


def write(folder: Path, rows: list[dict[str, object]]) -> Path:
    from pyarrow import parquet as pq

    file = folder / "test.parquet"
    pq.write_table(pyarrow.Table.from_pylist(rows), file)
    return file


def test_recordings_in_rows_become_files_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "settings", lambda: Settings(home=tmp_path))
    clips = [make_wav(num) for num in (100, 200)]
    rows: list[dict[str, object]] = [
        {"audio": {"bytes": clip, "path": f"{n}.wav"}, "question": "What?", "choices": ["dog", "cat"], "answer": "cat"}
        for n, clip in enumerate(clips)
    ]
    benchmark = find(str(write(tmp_path, rows)))
    assert [benchmark.find_clip(item).read_bytes() for item in benchmark.items] == clips
    written = benchmark.find_clip(benchmark.items[0])
    assert written.is_relative_to(tmp_path / "benchmarks" / "extracted")
    before = written.stat().st_mtime_ns
    find(str(tmp_path / "test.parquet"))
    assert written.stat().st_mtime_ns == before


def test_mmau_pro_is_known_by_its_shape(tmp_path: Path) -> None:
    row: dict[str, object] = json.loads((Path(__file__).parents[2] / "data" / "benchmark-rows.json").read_text())[
        "mmau-pro"
    ]
    rows = [row, row | {"id": "p2", "choices": None, "answer": "A text.", "category": "open"}]
    benchmark = find(str(write(tmp_path, rows)))
    assert benchmark.declared == "mmau-pro"
    assert [(item.answer, item.unsupported[:14]) for item in benchmark.items] == [
        ("Ann", ""),
        ("A text.", "has no options"),
    ]


def test_a_file_that_is_not_parquet(tmp_path: Path) -> None:
    file = tmp_path / "broken.parquet"
    file.write_bytes(b"no table")
    with pytest.raises(BadConfig, match=r"broken\.parquet' is not Parquet: "):
        find(str(file))
