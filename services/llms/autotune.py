"""Autotuning: which arithmetic reads fastest on this processor, measured at the first start and kept.

On x86 with AVX2 8-bit integers are known to be fastest (docs/log), and nothing is measured. Elsewhere each kind of
arithmetic that CTranslate2 has reads a short prompt; the seconds and the choice are kept in `autotune` in the home, for
this processor, these weights and this version of CTranslate2.
"""

import os
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import ValidationError

from services.files import replace_atomically
from services.progress import report_stage
from services.settings import read_settings
from services.telemetry.log_lines import LOGGER
from services.types import Value

ComputeType: TypeAlias = Literal["int8", "float32"]

USUAL: ComputeType = "int8"
WORTH_IT = 0.8  # of the seconds of 8-bit integers that another kind may take at most: clearer than the noise
NUM_TOKENS = 128  # of the prompt that is timed
NUM_TIMES = 2  # that it is timed; the first prompt, which allocates memory, is not
MEMORY_SHARE = 0.25  # of the machine's memory that weights may take for a measurement
BYTES_PER_WEIGHT: Mapping[ComputeType, int] = {"int8": 1, "float32": 4}
CPU_INFO = Path("/proc/cpuinfo")


class Processor(Value):
    """What decides how fast a processor computes."""

    model: str
    flags: tuple[str, ...] = ()
    """Instruction sets; empty where the system does not say."""


class Tuning(Value):
    """Measured speed of two kinds of arithmetic, and the one that was chosen."""

    processor: str
    ctranslate2: str
    weights: str
    seconds: dict[ComputeType, float]
    """Time in which one prompt of `NUM_TOKENS` is read."""
    chosen: ComputeType


Measure: TypeAlias = Callable[[Path, ComputeType], float]


def read_processor(cpu_info: Path = CPU_INFO) -> Processor:
    """Return this machine's processor, as Linux describes it, or else as Python does."""
    try:
        lines = cpu_info.read_text().splitlines()
    except OSError:
        return Processor(model=f"{platform.machine()} {platform.processor()}".strip())
    told = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in reversed(lines))}
    flags = told.get("flags") or told.get("Features") or ""
    return Processor(model=told.get("model name") or platform.machine(), flags=tuple(sorted(flags.split())))


def choose_compute_type(
    folder: Path, weights: str, *, processor: Processor | None = None, measure: Measure | None = None
) -> ComputeType:
    """Return the arithmetic in which this machine reads fastest with the model of a folder.

    Args:
        folder: the model in CTranslate2 format.
        weights: identifies it.
        processor: default: this machine's.
        measure: returns the seconds of one prompt; default: by opening the model and reading one.
    """
    here = processor or read_processor()
    if "avx2" in here.flags:
        return USUAL
    kept = read_settings().home / "autotune" / f"{_name(here, weights)}.json"
    found = _read(kept)
    if found is None:
        found = _tune(folder, weights, here, measure or time_prompt)
        _keep(kept, found)
    return found.chosen


def _tune(folder: Path, weights: str, processor: Processor, measure: Measure) -> Tuning:
    with report_stage("measure arithmetic"):
        seconds = {kind: round(measure(folder, kind), 4) for kind in _list_candidates(folder)}
    fastest = min(seconds, key=seconds.__getitem__)
    chosen = fastest if seconds[fastest] <= WORTH_IT * seconds[USUAL] else USUAL
    return Tuning(
        processor=processor.model,
        ctranslate2=version("ctranslate2"),
        weights=weights,
        seconds=seconds,
        chosen=chosen,
    )


def _list_candidates(folder: Path) -> Iterator[ComputeType]:
    """Yield the kinds of arithmetic whose weights fit well into memory; 8-bit integers always."""
    num_weights = sum(path.stat().st_size for path in folder.glob("model*.bin"))
    for kind, num_bytes in BYTES_PER_WEIGHT.items():
        if kind == USUAL or num_bytes * num_weights <= MEMORY_SHARE * count_memory():
            yield kind


def count_memory() -> int:
    """Return the bytes of memory that this machine has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def time_prompt(folder: Path, compute_type: ComputeType) -> float:
    """Return the seconds in which a model opened for this arithmetic reads one prompt: the least of `NUM_TIMES`."""
    from ctranslate2 import Generator  # 0.2 s, which who only looks up a choice need not pay

    generator = Generator(str(folder), compute_type=compute_type, intra_threads=os.cpu_count() or 1)
    prompt = [list(range(NUM_TOKENS))]
    generator.forward_batch(prompt)
    took: list[float] = []
    for _ in range(NUM_TIMES):
        started = time.perf_counter()
        generator.forward_batch(prompt)
        took.append(time.perf_counter() - started)
    return min(took)


def _name(processor: Processor, weights: str) -> str:
    parts = (processor.model_dump_json(), version("ctranslate2"), weights)
    return sha256(" ".join(parts).encode()).hexdigest()[:16]


def _read(path: Path) -> Tuning | None:
    try:
        return Tuning.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _keep(path: Path, found: Tuning) -> None:
    """Keep a measurement; where the home cannot be written, the next start measures again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_atomically(path) as draft:
            draft.write_text(found.model_dump_json(indent=1) + "\n")
    except OSError as error:
        LOGGER.warning("Which arithmetic is fastest cannot be kept in '%s' (%s).", path.parent, error)
