"""The benchmarks that can be named: plain dict, name -> function that loads it.

To add a benchmark, add a file and one line. A name that ends in `.json` is a file in the MMAU schema.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from eval.benchmarks.benchmark import Benchmark
from services.catalog import pick


def _mmau(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmau

    return mmau.load(audio_root)


BENCHMARKS: Mapping[str, Callable[[Path | None], Benchmark]] = {"mmau": _mmau}


def find(name: str, audio_root: Path | None = None) -> Benchmark:
    """Load the benchmark of that name, or the file in the MMAU schema at that path.

    `audio_root` is the folder that the clips' paths start from; None: where the benchmark keeps them.
    """
    if name.endswith(".json"):
        from eval.benchmarks import mmau

        return mmau.read(Path(name), audio_root)
    return pick(BENCHMARKS, "benchmark", name)(audio_root)
