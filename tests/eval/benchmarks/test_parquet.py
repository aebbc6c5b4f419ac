"""Parquet files with recordings in their rows, as the Hub exports datasets."""

import json
import random
import subprocess
import sys
import wave
from io import BytesIO
from pathlib import Path

import pytest

from eval.benchmarks import find, named, parquet
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


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_voicebench_is_read_as_the_hub_exports_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (named, parquet):
        monkeypatch.setattr(module, "read_settings", lambda: Settings(home=tmp_path))
    home = tmp_path / "benchmarks" / "voicebench"
    clip = {"bytes": make_wav(100), "path": "audio.wav"}
    nothing = {"num_words": None, "relation": None, "keywords": None}
    sets: dict[str, list[dict[str, object]]] = {
        "bbh": [
            {"id": "hyperbaton_3", "prompt": "Which has the right order?", "reference": "(B)", "audio": clip},
            {"id": "navigate_0", "prompt": "Do you return?", "reference": "No", "audio": clip},
        ],
        "advbench": [{"prompt": "Do harm.", "audio": clip}],
        "ifeval": [
            {
                "key": 1000,
                "prompt": "Use three words.",
                "instruction_id_list": ["length_constraints:number_words", "punctuation:no_comma"],
                "kwargs": [nothing | {"num_words": 3, "relation": "at least"}, nothing],
                "audio": clip,
            }
        ],
    }
    for name, rows in sets.items():
        (home / name).mkdir(parents=True)
        write(home / name, rows).rename(home / name / "test-00000-of-00001.parquet")
    benchmark = find("voicebench")
    assert [(item.task, item.rule, item.choices, item.answer) for item in benchmark.items] == [
        ("advbench", "refusal", (), "a refusal"),
        ("bbh", "bbh", ("(A)", "(B)"), "(B)"),
        ("bbh", "bbh", ("Yes", "No"), "No"),
        ("ifeval", "ifeval", (), ""),
    ]
    assert [len(item.audio) for item in benchmark.items] == [1] * 4
    assert benchmark.items[1].to_question().choices == ()
    benchmark.require_audio()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "snarks_1"}, "field '{(folder)}-{(row)}-{id}': 'bbh-1-snarks_1' names none of the tasks sports"),
        ({"reference": "perhaps"}, r"field 'reference': 'perhaps' is none of Yes, No, (A), (B)"),
        ({"reference": None}, "field 'reference': None is none of"),
    ],
)
def test_a_row_of_bbh_that_cannot_be_scored_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], said: str
) -> None:
    monkeypatch.setattr(named, "read_settings", lambda: Settings(home=tmp_path))
    folder = tmp_path / "benchmarks" / "voicebench" / "bbh"
    folder.mkdir(parents=True)
    row = {"id": "navigate_1", "prompt": "Do you?", "reference": "yes", "audio": {"bytes": make_wav(9), "path": "a"}}
    write(folder, [row | change])
    monkeypatch.setattr(parquet, "read_settings", lambda: Settings(home=tmp_path))
    with pytest.raises(BadConfig) as raised:
        find("voicebench")
    assert f"test.parquet', row 1, {said}" in str(raised.value)


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


def describe(features: dict[str, object]) -> dict[bytes, bytes]:
    """Return the metadata that the Hub's library writes."""
    return {b"huggingface": json.dumps({"info": {"features": features}}).encode()}


def test_labels_maps_and_bytes_are_read_as_what_they_stand_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pyarrow import parquet as pq

    monkeypatch.setattr(parquet, "read_settings", lambda: Settings(home=tmp_path / "home"))
    sound = {"bytes": make_wav(800), "path": "a/clip.wav\0"}
    columns = {
        "text": pyarrow.array([b"What is heard?", "Was hört man?".encode(), b"And now?"]),
        "label": pyarrow.array([1, 0, -1]),
        "tags": pyarrow.array([[0, 1], [], None]),
        "names": pyarrow.array([[("A", "cat"), ("B", "dog")]] * 3, pyarrow.map_(pyarrow.string(), pyarrow.string())),
        "choices": pyarrow.array([{"A": "cat", "B": "dog", "C": None}] * 3),
        "in/../side": pyarrow.array([sound] * 3),
        "raw": pyarrow.array([sound["bytes"]] * 3),
    }
    label = {"names": ["cat", "dog"], "_type": "ClassLabel"}
    features: dict[str, object] = {
        "label": label,
        "tags": {"feature": label, "_type": "List"},
        "choices": {"names": {"dtype": "string", "_type": "Value"}},
        "text": [{"dtype": "binary", "_type": "Value"}],
    }
    file = tmp_path / "odd.parquet"
    pq.write_table(pyarrow.table(columns).replace_schema_metadata(describe(features)), file)
    rows = parquet.read_parquet(file, "digest")
    assert [row["text"] for row in rows] == ["What is heard?", "Was hört man?", "And now?"]
    assert [row.get("label") for row in rows] == ["dog", "cat", None]
    assert [row.get("tags") for row in rows] == [["cat", "dog"], [], None]
    assert (rows[0]["names"], rows[0]["choices"]) == ({"A": "cat", "B": "dog"}, {"A": "cat", "B": "dog"})
    for field in ("in/../side", "raw"):
        kept = Path(str(rows[0][field]))
        assert kept.read_bytes() == sound["bytes"]
        assert kept.parent == tmp_path / "home" / "benchmarks" / "extracted" / "digest"


@pytest.mark.parametrize("metadata", [b"", b"[]", b'{"info": 3}', b'{"info": {"features": {"label": 3}}}', b"\xff"])
def test_metadata_of_other_tools_change_nothing(tmp_path: Path, metadata: bytes) -> None:
    from pyarrow import parquet as pq

    file = tmp_path / "odd.parquet"
    pq.write_table(pyarrow.table({"label": [1]}).replace_schema_metadata({b"huggingface": metadata}), file)
    assert parquet.read_parquet(file, "digest") == [{"label": 1}]


def test_a_time_in_nanoseconds_is_refused_by_name(tmp_path: Path) -> None:
    from pyarrow import parquet as pq

    file = tmp_path / "times.parquet"
    times = pyarrow.array([1], pyarrow.timestamp("ns"))
    pq.write_table(pyarrow.table({"question": ["What?"], "answer": ["x"], "taken": times}), file)
    with pytest.raises(BadConfig, match=r"times.parquet' holds a value that cannot be read: Nanosecond .*; leave its"):
        find(str(file))
