"""Provenance of a run: commit, package versions and machine."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from services.types import Value

ENGINES = (
    "aiohttp", "ctranslate2", "earwitness", "faster-whisper", "langgraph", "numpy",
    "onnxruntime", "torch", "transformers", "vllm",
)  # fmt: skip


class Environment(Value):
    """What a run ran on."""

    started_at: datetime
    commit: str | None
    """`git describe` of the checkout, "-dirty" where it had changes; None outside a checkout."""
    python: str
    packages: dict[str, str]
    """Version of each engine that is installed."""
    platform: str
    cpu: str
    num_cpus: int
    memory_gib: float
    gpus: tuple[str, ...]

    def is_same_place(self, other: "Environment") -> bool:
        """Tell whether nothing but the time differs."""
        return self == other.model_copy(update={"started_at": self.started_at})


def describe_environment() -> Environment:
    """Describe this process's surroundings, without importing any engine."""
    return Environment(
        started_at=datetime.now(UTC),
        commit=_describe_commit(Path(__file__).parents[2]),
        python=platform.python_version(),
        packages={name: found for name in ENGINES if (found := _find_version(name))},
        platform=platform.platform(),
        cpu=_read_field(Path("/proc/cpuinfo"), "model name") or platform.processor(),
        num_cpus=os.cpu_count() or 1,
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        gpus=tuple(
            _read_field(file, "Model") for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information"))
        ),
    )


def _describe_commit(checkout: Path) -> str | None:
    if not (checkout / ".git").exists():
        return None
    command = ("git", "-C", str(checkout), "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    described = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - a fixed command
    return described.stdout.strip() or None


def _find_version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _read_field(file: Path, name: str) -> str:
    """Return the first value of a `name : value` line; "" where the file or the line is missing."""
    if not file.is_file():
        return ""
    lines = (line.partition(":") for line in file.read_text(encoding="utf-8").splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == name), "")
