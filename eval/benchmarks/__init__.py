"""The benchmarks that can be named: plain dict, name -> function that loads it.

To add a benchmark, add a file and one line: a YAML file that declares where its files lie and which field holds what,
or a module where that is not enough. A name that ends like a file is one: JSON, JSON lines, CSV or Parquet.
"""

from collections.abc import Callable, Mapping
from functools import partial
from json import JSONDecoder
from pathlib import Path
from typing import TYPE_CHECKING

from eval.benchmarks.benchmark import Benchmark
from services.catalog import pick
from services.errors import BadConfig

if TYPE_CHECKING:
    from eval.benchmarks.fields import FieldNames

DECLARED = (
    "air-bench",
    "air-bench-chat",
    "audio-entailment",
    "audiobench",
    "auditorybench",
    "auditorybench-animal",
    "big-bench-audio",
    "dynamic-superb",
    "mdar",
    "mdar-multi",
    "mdar-open",
    "mecat-qa",
    "mmau-pro",
    "mmlu",
    "mmlu-pro",
    "mmsu",
    "muchomusic",
    "sakura",
    "speech-ifeval",
    "speech-ifeval-cot",
    "speechr-acoustic",
    "speechr-generative",
    "speechr",
    "star-bench",
    "voicebench",
)
"""Benchmarks that a YAML file of that name declares; a file is read by the first whose fields it has."""


def _load_mmau(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmau

    return mmau.load("mmau", audio_root)


def _load_mmau_before(audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import mmau

    return mmau.load("mmau-before-v05.15.25", audio_root)


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


def _load_declared(name: str, audio_root: Path | None) -> Benchmark:
    from eval.benchmarks import named

    return named.load_declared(name, audio_root)


BENCHMARKS: Mapping[str, Callable[[Path | None], Benchmark]] = {
    "mmau": _load_mmau,
    "mmau-before-v05.15.25": _load_mmau_before,
    "mmau-test": _load_mmau_test,
    "mmar": _load_mmar,
    "akb": _load_akb,
    "akb-open": _load_akb_open,
    "auditorybench++": _load_auditorybench,
    **{name: partial(_load_declared, name) for name in DECLARED},
}


def find(name: str, audio_root: Path | None = None, fields: "FieldNames | None" = None) -> Benchmark:
    """Load the benchmark of that name, or the file at that path.

    Args:
        name: One of `BENCHMARKS`, or the path of a file of questions.
        audio_root: Folder that the clips' paths start from; None: where the benchmark keeps them.
        fields: What a file calls its fields, as far as the user says.
    """
    from eval.benchmarks.errata import mark_disputed
    from eval.benchmarks.tables import SUFFIXES, is_table

    if is_table(name):
        return mark_disputed(_read(Path(name), audio_root, fields))
    if name not in BENCHMARKS and Path(name).is_file():
        raise BadConfig(
            f"Benchmark {name!r}: a file of questions is told by its end, {', '.join(SUFFIXES)}, and .gz behind it "
            "if it is compressed; save it so."
        )
    if fields:
        raise BadConfig(f"--fields names the fields of a file; {name!r} is not one.")
    found = pick(BENCHMARKS, "benchmark", name)(audio_root)
    if not isinstance(found, Benchmark):  # an extension's: ours are typed
        raise BadConfig(f"The benchmark {name!r} breaks its protocol: it is a {type(found).__name__}, not a Benchmark.")
    return mark_disputed(found)


def _read(file: Path, audio_root: Path | None, fields: "FieldNames | None") -> Benchmark:
    """Read a file in the schema of MMAU or MMAR, where its first rows have it, and any other by its fields."""
    from eval.benchmarks import mmar, mmau
    from services.json_lines import find_suffix, read_text

    if find_suffix(file) in {".json", ".jsonl"} and not fields:
        start = read_text(file, f"Benchmark {str(file)!r}")[:20_000]  # enough for the keys of a row
        if _has_form(start, "audio_id", "task"):
            return mmau.read(file, audio_root)
        if _has_form(start, "audio_path", "modality"):
            return mmar.read(file, audio_root)
    from eval.benchmarks.mapped import read_mapped  # and with them YAML, which the two above do not need
    from eval.benchmarks.named import read_by_shape

    found = read_mapped(file, audio_root, fields) if fields else read_by_shape(file, DECLARED, audio_root)
    return found.locate_clips()


def _has_form(start: str, audio: str, task: str) -> bool:
    """Whether a file's first row has MMAU's or MMAR's fields, and in their form: one clip, a list, and one of it."""
    if not all(f'"{key}"' in start for key in (audio, "choices", task)):
        return False
    try:
        row, _ = JSONDecoder().raw_decode(start, start.index("{"))
    except (ValueError, RecursionError):  # longer than that, or malformed: their reader says where
        return True
    choices, answer = row.get("choices"), row.get("answer") or None
    is_form = isinstance(choices, list) and isinstance(row.get(audio), str) and row.get("id") is not None
    return is_form and (answer is None or answer in choices)
