"""The benchmarks that can be named: plain dict, name -> function that loads it.

To add a benchmark, add a file and one line. A name that ends in `.json` or `.jsonl` is a file in the
schema of MMAU (`audio_id`), of MMAR (`audio_path`), or of AKB (neither: text only); one in `.csv` is a
task of AuditoryBench++.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark
from services.catalog import pick
from services.errors import BadConfig


def _load_mmau(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmau

    return mmau.load("mmau", audio_root)


def _load_mmau_test(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmau

    return mmau.load("mmau-test", audio_root)


def _load_mmar(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmar

    return mmar.load(audio_root)


def _load_akb(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import akb

    return akb.load(audio_root)


def _load_akb_open(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import akb

    return akb.load_open(audio_root)


def _load_auditorybench(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import auditorybench

    return auditorybench.load(audio_root)


BENCHMARKS: Mapping[str, Callable[[Path | None], Benchmark]] = {
    "mmau": _load_mmau,
    "mmau-test": _load_mmau_test,
    "mmar": _load_mmar,
    "akb": _load_akb,
    "akb-open": _load_akb_open,
    "auditorybench++": _load_auditorybench,
}


def find(name: str, audio_root: Path | None = None) -> Benchmark:
    """Load the benchmark of that name, or the file at that path.

    `audio_root` is the folder that the clips' paths start from; None: where the benchmark keeps them.
    """
    if Path(name).suffix in {".json", ".jsonl", ".csv"}:
        return _read(Path(name), audio_root)
    found = pick(BENCHMARKS, "benchmark", name)(audio_root)
    if not isinstance(found, Benchmark):  # an extension's: ours are typed
        raise BadConfig(f"The benchmark {name!r} breaks its protocol: it is a {type(found).__name__}, not a Benchmark.")
    return found


def _read(file: Path, audio_root: Path | None) -> Benchmark:
    """Read a file in the schema that its first row has."""
    from eval.benchmarks import akb, auditorybench, mmar, mmau
    from services.json_lines import read_text

    if file.suffix == ".csv":
        return auditorybench.read(file)
    start = read_text(file, f"Benchmark {str(file)!r}")[:20_000]  # enough for the keys of a row
    if '"audio_id"' in start:
        return mmau.read(file, audio_root)
    return mmar.read(file, audio_root) if '"audio_path"' in start else akb.read(file)
