"""Parquet files with recordings in their rows, as the Hub exports datasets."""

import json
import random
import subprocess
import sys
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
    monkeypatch.setattr(parquet, "read_settings", lambda: Settings(home=tmp_path))
    clips = [make_wav(num) for num in (100, 200)]
    rows: list[dict[str, object]] = [
        {"audio": {"bytes": clip, "path": f"{n}.wav"}, "question": "What?", "choices": ["dog", "cat"], "answer": "cat"}
        for n, clip in enumerate(clips)
    ]
    benchmark = find(str(write(tmp_path, rows)))
    assert [path.read_bytes() for item in benchmark.items for path in benchmark.find_clips(item)] == clips
    (written,) = benchmark.find_clips(benchmark.items[0])
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


MEASURE = """
import sys
from pathlib import Path
from eval.benchmarks import find, mapped, named, parquet
import pyarrow.parquet
from services.environment import Settings

def read_peak():
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1])

parquet.read_settings = lambda: Settings(home=Path(sys.argv[2]))
before = read_peak()
print(len(find(sys.argv[1]).items), read_peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="the peak of memory is read from /proc")
@pytest.mark.slow
def test_a_thousand_clips_are_read_group_by_group(tmp_path: Path) -> None:
    """Recordings of 100 MB in groups of 50 rows, 5 MB each, as the Hub writes them: never all in memory."""
    from pyarrow import parquet as pq

    clip, rows = random.Random(0).randbytes(100_000), range(1_000)  # the same bytes with a number: nothing is repeated
    table = {
        "id": [str(number) for number in rows],
        "question": ["Which?"] * len(rows),
        "choices": [["a dog", "rain"]] * len(rows),
        "answer": ["rain"] * len(rows),
        "audio": [{"bytes": number.to_bytes(4) + clip, "path": f"{number}.wav"} for number in rows],
    }
    pq.write_table(pyarrow.table(table), tmp_path / "big.parquet", row_group_size=50)
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "big.parquet"), str(tmp_path)]
    num, grown_kb = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert int(num) == 1_000
    assert int(grown_kb) < 80_000  # 60,000 to 63,000 seen; all clips at once take 153,000
    assert len(list((tmp_path / "benchmarks" / "extracted").glob("*/*"))) == 1_000
