"""The benchmarks that can be named: plain dict, name -> function that loads it.

To add a benchmark, add a file and one line. A name that ends in `.json` or `.jsonl` is a file in the
schema of MMAU (`audio_id`), of MMAR (`audio_path`), or of AKB (neither: text only).
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark
from services.catalog import pick


def _mmau(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmau

    return mmau.load("mmau", audio_root)


def _mmau_test(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmau

    return mmau.load("mmau-test", audio_root)


def _mmar(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmar

    return mmar.load(audio_root)


BENCHMARKS: Mapping[str, Callable[[Path | None], Benchmark]] = {
    "mmau": _mmau,
    "mmau-test": _mmau_test,
    "mmar": _mmar,
}


def find(name: str, audio_root: Path | None = None) -> Benchmark:
    """Load the benchmark of that name, or the file at that path.

    `audio_root` is the folder that the clips' paths start from; None: where the benchmark keeps them.
    """
    if Path(name).suffix in {".json", ".jsonl"}:
        return _read(Path(name), audio_root)
    return pick(BENCHMARKS, "benchmark", name)(audio_root)


def _read(file: Path, audio_root: Path | None) -> Benchmark:
    """Read a file in the schema that its first row has."""
    from eval.benchmarks import mmar, mmau
    from eval.benchmarks.rows import read_bytes

    # Enough for the keys of a row; a file that is neither is refused as MMAU with the field named.
    start = read_bytes(file)[:20_000]
    if b'"audio_path"' in start and b'"audio_id"' not in start:
        return mmar.read(file, audio_root)
    return mmau.read(file, audio_root)
